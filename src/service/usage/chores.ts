import type { JobHandler } from '../../port/jobs/port.ts'
import { firstHourKept, type UsageStore } from '../../port/tables/usage/port.ts'
import type { Logger } from '../../telemetry/logger.ts'

export type UsageChoresParts = {
  readonly table: Pick<UsageStore, 'rollUp' | 'drop'>
  /** How long usage is kept by the hour, and after that by the day. */
  readonly hourlyDays: number
  readonly days: number
  /** Unix milliseconds. */
  readonly now: () => number
  readonly log: Logger
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
/** Others want to use the table too: each is a statement or two. */
const hoursPerPortion = 24

/** `usage-roll-up`: hours become days after a while, and days are forgotten after a longer one. */
export function createUsageChores(parts: UsageChoresParts): Readonly<Record<string, JobHandler>> {
  const { table, hourlyDays, days, now, log } = parts

  async function repeat(signal: AbortSignal, act: () => Promise<number>): Promise<number> {
    let sum = 0
    while (!signal.aborted) {
      const count = await act()
      sum += count
      if (count < hoursPerPortion) break
    }
    return sum
  }

  return {
    'usage-roll-up': {
      leaseMs: minuteMs,
      everyMs: 6 * hourMs,
      atOnce: 1,
      async run(_job, { signal }) {
        const dropped = await repeat(signal, () => table.drop(firstHourKept(now(), days), hoursPerPortion))
        const rolledUp = await repeat(signal, () => table.rollUp(firstHourKept(now(), hourlyDays), hoursPerPortion))
        if (dropped + rolledUp > 0)
          log.info({ dropped, rolledUp }, 'hours of usage were put together to days, or forgotten')
        return { kind: 'done' }
      },
    },
  }
}
