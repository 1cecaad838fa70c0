import { z } from 'zod'
import { Fault } from '../../core/fault.ts'
import { qualify, type ResourceId } from '../../core/resource.ts'
import type { Meter } from '../../policy/meter/meter.ts'
import {
  firstHourKept,
  type UsageGroup,
  type UsageRow,
  type UsageTable,
  type UsageTotals,
  usageGroups,
} from '../../port/tables/usage/port.ts'
import type { NamedKey } from '../../snapshot/keys/named-key.ts'
import type { BudgetView, UsageView } from '../api.ts'
import type { Answer } from '../http/answer.ts'
import { readQuery, timeSchema } from '../http/read-query.ts'

export type UsageOptions = {
  readonly usage: {
    readonly table: UsageTable
    readonly meter: Pick<Meter, 'flush' | 'pending' | 'budgets'>
    namedKeys(): readonly NamedKey[]
    /** Whose usage it is. */
    readonly resource: ResourceId
    /** For so many days usage is kept by the hour. */
    readonly hourlyDays: number
  }
  /** Unix milliseconds. */
  now(): number
}

const hourMs = 3_600_000
const hoursPerDay = 24
const dayMs = hoursPerDay * hourMs
/** Of an answer, and of what it is put together from. */
const maxRows = 100_000

/** The words of the outside for what the table calls otherwise; a month is days put together. */
const groupNames = ['hour', 'day', 'month', 'deployment', 'model', 'key'] as const
type GroupName = (typeof groupNames)[number]

const querySchema = z.strictObject({
  from: timeSchema.optional(),
  to: timeSchema.optional(),
  groupBy: z.array(z.enum(groupNames)).max(groupNames.length).default([]),
  deployment: z.string().min(1).max(64).optional(),
  key: z.string().min(1).max(64).optional(),
})

/** Tokens, requests and cost of a span of time; what has not been stored yet is stored first, so that nothing is missing. */
export async function showUsage({ usage, now }: UsageOptions, request: Request): Promise<Answer> {
  const { from, to, groupBy, deployment, key } = readQuery(querySchema, new URL(request.url), ['groupBy'])
  const toMs = to === undefined ? now() : Date.parse(to)
  const fromMs = from === undefined ? toMs - dayMs : Date.parse(from)
  if (fromMs > toMs) {
    throw new Fault('invalid-request', `from: got ${iso(fromMs)}, expected a time before "to", ${iso(toMs)}`, {
      param: 'from',
    })
  }
  await usage.meter.flush()
  const span = spanOf(fromMs, toMs, firstHourKept(now(), usage.hourlyDays))
  const groups = [...new Set(groupBy.map(columnOf))]
  const rows = await usage.table.read({
    ...span,
    resource: usage.resource,
    deployment,
    keyName: key,
    groupBy: groups,
    limit: maxRows + 1,
  })
  if (rows.length > maxRows) throw refuseSize()
  // A store that is away keeps nobody from seeing what is counted.
  const unsent = usage.meter
    .pending()
    .filter((row) => row.resource === usage.resource && isWithin(row, span, deployment, key))
  const value = merge([...rows, ...unsent], groupBy)
  if (value.length > maxRows) throw refuseSize()
  return { status: 200, body: { from: iso(span.fromHour * hourMs), to: iso(span.toHour * hourMs), value } }
}

/** Whole hours; whole days where hours are kept no more, whether or not they are put together yet. */
function spanOf(
  fromMs: number,
  toMs: number,
  firstHour: number,
): { readonly fromHour: number; readonly toHour: number } {
  const from = Math.floor(fromMs / hourMs)
  const to = Math.max(from + 1, Math.ceil(toMs / hourMs))
  return {
    fromHour: from < firstHour ? from - (from % hoursPerDay) : from,
    toHour: to < firstHour ? Math.ceil(to / hoursPerDay) * hoursPerDay : to,
  }
}

/** What the keys with budgets have spent of them. */
export function listBudgets({ usage }: UsageOptions): Answer {
  const value = usage
    .namedKeys()
    .flatMap(({ name, spec }): BudgetView[] =>
      usage.meter.budgets
        .status(qualify(usage.resource, name), spec.budgets ?? [])
        .map((status) => ({ key: name, ...status })),
    )
  return { status: 200, body: { value } }
}

function refuseSize(): Fault {
  return new Fault(
    'invalid-request',
    `groupBy: this gives more than ${maxRows} rows; ask for a shorter time or fewer groups`,
    { param: 'groupBy' },
  )
}

function columnOf(name: GroupName): UsageGroup {
  if (name === 'key') return 'keyName'
  return name === 'month' ? 'day' : name
}

function isWithin(
  row: UsageRow,
  { fromHour, toHour }: { readonly fromHour: number; readonly toHour: number },
  deployment: string | undefined,
  key: string | undefined,
): boolean {
  const isSame = (wanted: string | undefined, is: string) =>
    wanted === undefined || wanted.toLowerCase() === is.toLowerCase()
  return row.hour >= fromHour && row.hour < toHour && isSame(deployment, row.deployment) && isSame(key, row.keyName)
}

/** One row for all that agree in the groups, in their order. */
function merge(rows: readonly UsageTotals[], groupBy: readonly GroupName[]): UsageView[] {
  type Entry = { readonly labels: Partial<Record<GroupName, string>>; readonly sums: Record<string, number> }
  const merged = new Map<string, Entry>()
  for (const row of rows) {
    const labels = Object.fromEntries(groupBy.map((name) => [name, labelOf(row, name)]))
    const key = JSON.stringify(labels)
    const entry: Entry = merged.get(key) ?? { labels, sums: {} }
    merged.set(key, entry)
    for (const [name, value] of Object.entries(row)) {
      if (typeof value !== 'number' || usageGroups.includes(name as UsageGroup)) continue
      entry.sums[name] = (entry.sums[name] ?? 0) + value
    }
  }
  return [...merged]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { labels, sums }]) => {
      const { costMicros = 0, ...counts } = sums
      return { ...labels, ...counts, cost: costMicros / 1e6 } as UsageView
    })
}

function labelOf(row: UsageTotals, name: GroupName): string {
  if (name === 'key') return row.keyName ?? ''
  if (name === 'deployment' || name === 'model') return row[name] ?? ''
  const start = iso(row.hour === undefined ? (row.day ?? 0) * dayMs : row.hour * hourMs)
  return start.slice(0, name === 'hour' ? 13 : name === 'day' ? 10 : 7) + (name === 'hour' ? ':00:00Z' : '')
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
