import type { Command } from 'commander'
import type { Status } from '../../control/api.ts'
import type { CommandContext } from '../context.ts'
import { openManagementClient } from '../management-client.ts'
import { formatTime, printFacts } from '../terminal/print.ts'

/** `ponto status`: what the running server says of itself. */
export function defineStatus(command: Command, context: CommandContext): void {
  command.addHelpText('after', '\nExamples:\n  ponto status\n  ponto status --output json')
  command.action(async () => {
    const status = await openManagementClient(context.folder()).call<Status>('status')
    await printFacts(context, status, [
      ['Resource', status.name],
      ['Version', status.version],
      ['Running', `since ${formatTime(status.startedAt)}, process ${status.pid}`],
      ...status.endpoints.map((endpoint) => ['Endpoint', endpoint] as const),
      ['Data folder', status.dataFolder],
      ...(status.configFile ? [['Configuration', describeConfig(status.configFile)] as const] : []),
      ['Engine', [status.engine.state, status.engine.detail].filter(Boolean).join(': ')],
      ['Deployments', String(status.deployments)],
      ...status.warnings.map((warning) => ['Warning', warning] as const),
    ])
  })
}

function describeConfig(file: NonNullable<Status['configFile']>): string {
  return file.error ? `${file.path} (last change refused: ${file.error})` : file.path
}
