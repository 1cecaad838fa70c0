import type { Command } from 'commander'
import type { DeploymentView } from '../../control/api.ts'
import type { CommandContext } from '../context.ts'
import { openManagementClient } from '../management-client.ts'
import { pathOf } from './path.ts'
import { showDeployment } from './show.ts'

/** The commands that do one thing to a deployment, and say so. */
export function defineActions(group: Command, context: CommandContext): void {
  group
    .command('delete')
    .description('remove a deployment; running requests finish')
    .argument('<name>', 'in any case')
    .option('--dry-run', 'say whether it could be removed, and change nothing')
    .action(async (name: string, { dryRun }: { dryRun?: boolean }) => {
      const path = dryRun ? `${pathOf(name)}?dryRun=true` : pathOf(name)
      await openManagementClient(context).call(path, { method: 'DELETE' })
      const done = dryRun ? `${name} would be deleted: nothing was changed.` : `Deleted ${name}.`
      if (context.format() === 'table') context.stdout.write(`${done}\n`)
    })
  defineSwitch(group, context, 'pause', 'refuse its calls with 423 until it is resumed', 'Paused')
  defineSwitch(group, context, 'resume', 'take calls again', 'Resumed')
}

function defineSwitch(
  group: Command,
  context: CommandContext,
  action: 'pause' | 'resume',
  summary: string,
  done: string,
): void {
  group
    .command(action)
    .description(summary)
    .argument('<name>', 'in any case')
    .action(async (name: string) => {
      const client = openManagementClient(context)
      const view = await client.call<DeploymentView>(`${pathOf(name)}/${action}`, { method: 'POST' })
      if (context.format() === 'table') context.stdout.write(`${done} ${view.name}.\n`)
      else await showDeployment(context, view)
    })
}
