import type { Command } from 'commander'
import type { DeploymentView } from '../../control/api.ts'
import type { UpgradePreview } from '../../snapshot/plan/preview-upgrade.ts'
import type { CommandContext } from '../context.ts'
import { openManagementClient } from '../management-client.ts'
import { type Column, formatTime, printFacts, printList } from '../terminal/print.ts'
import {
  describeCapacity,
  describeEnd,
  describeLimits,
  describePlace,
  describeSource,
  describeState,
  describeVersion,
} from './describe.ts'
import { pathOf } from './path.ts'
import { showDeployment } from './show.ts'

const columns: readonly Column<DeploymentView>[] = [
  { title: 'name', read: (row) => row.name },
  { title: 'model', read: (row) => `${row.model.name} (${describeVersion(row)})` },
  { title: 'state', read: describeState },
  { title: 'sku', read: describeCapacity, isOptional: true },
  { title: 'limits', read: (row) => describeLimits(row.effectiveLimits), isOptional: true },
  { title: 'content filter', read: (row) => row.raiPolicyName ?? '', isOptional: true },
  { title: 'retires', read: describeEnd, isOptional: true },
  { title: 'runs on', read: describePlace },
  { title: 'declared in', read: describeSource },
  { title: 'changed', read: (row) => formatTime(row.updatedAt) },
]

/** The commands that change nothing. */
export function defineReaders(group: Command, context: CommandContext): void {
  group
    .command('list')
    .description('all deployments')
    .action(async () => {
      const { value } = await openManagementClient(context).call<{ value: DeploymentView[] }>('deployments')
      const whenEmpty = 'There are no deployments. Make one with: ponto deployment create NAME --model MODEL'
      await printList(context, value, columns, whenEmpty)
    })
  group
    .command('show')
    .description('one deployment in full')
    .argument('<name>', 'in any case')
    .action(async (name: string) => {
      await showDeployment(context, await openManagementClient(context).call<DeploymentView>(pathOf(name)))
    })
  group
    .command('upgrade-preview')
    .description('which version its upgrade option leads to, when, and what that takes away')
    .argument('<name>', 'in any case')
    .action(async (name: string) => {
      const client = openManagementClient(context)
      const preview = await client.call<UpgradePreview>(`${pathOf(name)}/upgrade`)
      const { servedVersion, defaultVersion, next, byHand, note } = preview
      await printFacts(context, preview, [
        ['Served', servedVersion],
        ...(defaultVersion ? [['Default', defaultVersion] as const] : []),
        ...(next ? [['Next', `${next.version}, ${formatTime(next.at)}`] as const] : []),
        ...(byHand ? [['By hand', byHand.version] as const] : []),
        ...((next ?? byHand)?.losses ?? []).map((loss) => ['Then lost', loss] as const),
        ['Note', note],
      ])
    })
}
