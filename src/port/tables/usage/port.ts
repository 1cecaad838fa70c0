import type { ResourceId } from '../../../core/resource.ts'

/** What calls of one key to one deployment came to within an hour. `costMicros` is millionths of the currency of the prices, whole. */
export type UsageCounts = {
  readonly requests: number
  /** Of these, those that failed at the backend or in mid-answer. */
  readonly failed: number
  /** Of these, those that a limit or a budget refused. */
  readonly refused: number
  /** Of these, those whose tokens nobody counted, so that they are a guess. */
  readonly estimated: number
  readonly promptTokens: number
  /** Part of the prompt's. */
  readonly cachedTokens: number
  readonly completionTokens: number
  /** Part of the completion's. */
  readonly reasoningTokens: number
  readonly costMicros: number
}

export const noUsage: UsageCounts = {
  requests: 0,
  failed: 0,
  refused: 0,
  estimated: 0,
  promptTokens: 0,
  cachedTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  costMicros: 0,
}

/** `hour` is whole hours since 1970 in UTC; of a day that was rolled up, its first. */
export type UsageRow = UsageCounts & {
  readonly hour: number
  readonly resource: ResourceId
  readonly deployment: string
  readonly model: string
  readonly keyName: string
}

/** `day` is whole days since 1970 in UTC. */
export const usageGroups = ['hour', 'day', 'resource', 'deployment', 'model', 'keyName'] as const
export type UsageGroup = (typeof usageGroups)[number]

/** The first hour of those that are kept for so many days: days are kept whole, in UTC. `nowMs` is unix milliseconds. */
export function firstHourKept(nowMs: number, days: number): number {
  return Math.floor(nowMs / 86_400_000 - days) * 24
}

export type UsageQuery = {
  /** Hours, the last one not included. */
  readonly fromHour: number
  readonly toHour: number
  /** All resources when absent. */
  readonly resource?: ResourceId | undefined
  readonly deployment?: string | undefined
  readonly keyName?: string | undefined
  /** Whether a row stands for all that agree in these; the others are left out of it. */
  readonly groupBy: readonly UsageGroup[]
  /** So many rows and no more. */
  readonly limit?: number | undefined
}

export type UsageTotals = UsageCounts & Partial<Omit<UsageRow, keyof UsageCounts>> & { readonly day?: number }

export type UsageTable = {
  /** Adds to what is there, all rows or none. */
  add(rows: readonly UsageRow[]): Promise<void>
  /** In the order of the groups. Deployment and key are found without regard to case. */
  read(query: UsageQuery): Promise<UsageTotals[]>
}

/** The same with what is done about its age. */
export type UsageStore = UsageTable & {
  /**
   * Puts what the hours before that one came to together to one row a day, at the day's first hour: sums over whole days stay what they
   * were, and what is added to such an hour later counts with the day at the next time. At most `mostHours` of them, the oldest first, each
   * whole or not at all. How many there were.
   */
  rollUp(beforeHour: number, mostHours: number): Promise<number>
  /** Forgets the hours before that one, at most so many of them. How many there were. */
  drop(beforeHour: number, mostHours: number): Promise<number>
}
