import type { Command } from 'commander'
import type { Status } from '../../control/api.ts'
import type { CommandContext } from '../context.ts'
import { openManagementClient } from '../management-client.ts'
import { formatTime, printFacts } from '../terminal/print.ts'
import { formatCount } from '../terminal/units.ts'

/** `ponto status`: what the running server says of itself. */
export function defineStatus(command: Command, context: CommandContext): void {
  command.addHelpText('after', '\nExamples:\n  ponto status\n  ponto status --output json')
  command.action(async () => {
    const status = await openManagementClient(context).call<Status>('status')
    await printFacts(context, status, [
      ['Resource', status.name],
      ['Version', status.version],
      ['Running', `since ${formatTime(status.startedAt)}, process ${status.pid}`],
      ...status.endpoints.map((endpoint) => ['Endpoint', endpoint] as const),
      ['Data folder', status.dataFolder],
      ...(status.configFile ? [['Configuration', describeConfig(status.configFile)] as const] : []),
      ['Engine', [status.engine.state, status.engine.detail].filter(Boolean).join(': ')],
      ['Deployments', String(status.deployments)],
      ...(status.requestLog ? [['Request log', describeLog(status.requestLog)] as const] : []),
      ...status.warnings.map((warning) => ['Warning', warning] as const),
    ])
  })
}

function describeLog({ written, waiting, lost, leftOut }: NonNullable<Status['requestLog']>): string {
  const parts = [`${formatCount(written)} written since the start`]
  if (waiting > 0) parts.push(`${formatCount(waiting)} waiting`)
  if (lost > 0) parts.push(`${formatCount(lost)} lost`)
  if (leftOut > 0) parts.push(`${formatCount(leftOut)} of strangers left out`)
  return parts.join(', ')
}

function describeConfig(file: NonNullable<Status['configFile']>): string {
  return file.error ? `${file.path} (last change refused: ${file.error})` : file.path
}
