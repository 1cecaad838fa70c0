import type { Command } from 'commander'
import type { QuotaView } from '../../control/api.ts'
import type { CommandContext } from '../context.ts'
import { openManagementClient } from '../management-client.ts'
import { printFacts, printList } from '../terminal/print.ts'

const columns = [
  { title: 'name', read: (row: QuotaView) => row.name },
  { title: 'limit', read: (row: QuotaView) => String(row.limit) },
  { title: 'used', read: (row: QuotaView) => String(row.used) },
  { title: 'available', read: (row: QuotaView) => String(row.available) },
  { title: 'unit', read: (row: QuotaView) => row.unit },
  { title: 'deployments', read: (row: QuotaView) => row.deployments.map(({ name }) => name).join(', ') },
  { title: 'declared in', read: describeSource },
]

const nameHelp = 'SKU, SKU.MODEL or PUBLISHER.SKU.MODEL'

/** `ponto quota ...`: how much capacity deployments may have together. */
export function defineQuota(group: Command, context: CommandContext): void {
  group.addHelpText(
    'after',
    `
A pool is named after what it is for: GlobalStandard is one for all models together, GlobalStandard.gpt-4o one for that
model. A deployment draws on the pool that says most about it; without one, its capacity is not limited.

Examples:
  ponto quota list
  ponto quota set GlobalStandard.gpt-4o 300       300 units: 300,000 tokens a minute for all deployments of gpt-4o
  ponto quota set ProvisionedManaged 200
  ponto quota remove GlobalStandard.gpt-4o`,
  )
  group
    .command('list')
    .description('all pools, with what is used and what is left')
    .action(async () => {
      const { value } = await openManagementClient(context).call<{ value: QuotaView[] }>('quota')
      const whenEmpty =
        'There are no quota pools: capacity is not limited. Make one with: ponto quota set SKU.MODEL UNITS'
      await printList(context, value, columns, whenEmpty)
    })
  const set = group.command('set').description('make a pool, or give it another limit').argument('<name>', nameHelp)
  set
    .argument('<units>', 'how much its deployments may have together')
    .addHelpText('after', '\nBelow what is used, nothing stops: the deployments go on, but none of them can grow.')
    .action(async (name: string, units: string) => {
      if (!/^\d{1,10}$/.test(units)) set.error(`error: "${units}" is no number of units: 0, 1, 2, ...`)
      const client = openManagementClient(context)
      await showPool(
        context,
        await client.call<QuotaView>(pathOf(name), { method: 'PUT', body: { limit: Number(units) } }),
      )
    })
  group
    .command('remove')
    .description('remove a pool; deployments keep what they have and may grow')
    .argument('<name>', nameHelp)
    .action(async (name: string) => {
      await openManagementClient(context).call(pathOf(name), { method: 'DELETE' })
      if (context.format() === 'table') context.stdout.write(`Removed ${name}.\n`)
    })
}

const pathOf = (name: string): string => `quota/${encodeURIComponent(name)}`

async function showPool(context: CommandContext, pool: QuotaView): Promise<void> {
  await printFacts(context, pool, [
    ['Name', pool.name],
    ['Limit', `${pool.limit} (${pool.unit})`],
    ['Used', `${pool.used}${pool.used > pool.limit ? ', more than the limit: no deployment of it can grow' : ''}`],
    ['Available', String(pool.available)],
    ...pool.deployments.map(({ name, capacity }) => ['Deployment', `${name}, ${capacity}`] as const),
  ])
}

function describeSource({ source }: QuotaView): string {
  return source.kind === 'file' ? source.file : 'API or CLI'
}
