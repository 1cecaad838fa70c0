import { type Command, InvalidArgumentError, Option } from 'commander'
import type { BudgetView, UsageView } from '../../control/api.ts'
import type { CommandContext } from '../context.ts'
import { openManagementClient } from '../management-client.ts'
import { type Column, printList } from '../terminal/print.ts'
import { makeTime } from '../terminal/time-option.ts'

const groups = ['hour', 'day', 'month', 'deployment', 'model', 'key'] as const

type Usage = { readonly from: string; readonly to: string; readonly value: readonly UsageView[] }

/** `ponto usage`: what was used, by whom, and what it cost. */
export function defineUsage(command: Command, context: CommandContext): void {
  command
    .description('tokens, requests and cost')
    .addOption(
      makeTime('--since <when>', 'from when on: a date, a time, or how long ago (24h, 7d)').default(undefined, '24h'),
    )
    .addOption(makeTime('--until <when>', 'until when'))
    .addOption(
      new Option('--by <group>', 'one row for each; repeat it or separate by commas')
        .argParser(readGroups)
        .default(['deployment'], 'deployment'),
    )
    .option('--deployment <name>', 'of one deployment only')
    .option('--key <name>', 'of one key only')
    .addHelpText(
      'after',
      `
Groups: ${groups.join(', ')}. Times are UTC, and whole hours are counted.
Costs are those of the prices that deployments have (ponto deployment update NAME --price-input ...).

Examples:
  ponto usage
  ponto usage --since 30d --by day,key
  ponto usage --since 2026-11-01 --key ci --by hour --output json
  ponto usage budgets`,
    )
    .action(async () => {
      const { since, until, by, deployment, key } = command.opts()
      const query = new URLSearchParams({
        groupBy: by.join(','),
        ...(since && { from: since }),
        ...(until && { to: until }),
        ...(deployment && { deployment }),
        ...(key && { key }),
      })
      const usage = await openManagementClient(context).call<Usage>(`usage?${query}`)
      await printUsage(context, usage, by)
    })
  command
    .command('budgets')
    .description('what the keys with budgets have spent of them')
    .action(async () => {
      const { value } = await openManagementClient(context).call<{ value: BudgetView[] }>('budgets')
      const whenEmpty = 'No key has a budget. Give one to a key with: ponto key update NAME --budget tokens/day=100000'
      await printList(context, value, budgetColumns, whenEmpty)
    })
}

const budgetColumns: readonly Column<BudgetView>[] = [
  { title: 'key', read: (row) => row.key },
  { title: 'budget', read: (row) => `${row.unit} a ${row.period}` },
  { title: 'limit', read: (row) => count(row.limit) },
  { title: 'spent', read: (row) => count(row.spent) },
  { title: 'of it', read: (row) => `${((100 * row.spent) / row.limit).toFixed(1)} %` },
  { title: 'begins anew', read: (row) => row.resetsAt },
]

async function printUsage(context: CommandContext, { from, to, value }: Usage, by: readonly (typeof groups)[number][]) {
  const columns: Column<UsageView>[] = [
    ...by.map((group) => ({ title: group, read: (row: UsageView) => row[group] ?? '' })),
    { title: 'requests', read: (row) => count(row.requests) },
    { title: 'refused', read: (row) => unlessNone(row.refused), isOptional: true },
    { title: 'failed', read: (row) => unlessNone(row.failed), isOptional: true },
    { title: 'prompt tokens', read: (row) => count(row.promptTokens) },
    { title: 'cached', read: (row) => unlessNone(row.cachedTokens), isOptional: true },
    { title: 'completion tokens', read: (row) => count(row.completionTokens) },
    { title: 'cost', read: (row) => (row.cost === 0 ? '' : row.cost.toFixed(4)), isOptional: true },
  ]
  await printList(context, value, columns, `Nothing was used from ${from} to ${to}.`)
  if (context.format() !== 'table' || value.length < 2) return
  const total = (read: (row: UsageView) => number) => value.reduce((sum, row) => sum + read(row), 0)
  context.stdout.write(
    `\nIn all ${count(total((row) => row.requests))} requests, ${count(total((row) => row.promptTokens + row.completionTokens))} tokens, from ${from} to ${to}.\n`,
  )
}

function unlessNone(value: number): string {
  return value === 0 ? '' : count(value)
}

function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 6 })
}

function readGroups(text: string, previous: unknown): string[] {
  const wanted = text.split(',').map((group) => group.trim())
  const wrong = wanted.find((group) => !(groups as readonly string[]).includes(group))
  if (wrong !== undefined) throw new InvalidArgumentError(`"${wrong}" is no group; allowed are ${groups.join(', ')}.`)
  // The default is no first use of the flag.
  const before = Array.isArray(previous) && !(previous.length === 1 && previous[0] === 'deployment') ? previous : []
  return [...new Set([...before, ...wanted])]
}
