import type { CounterRule, CounterState } from '../port.ts'
import { type CounterTable, field, header } from './table.ts'

/** What entries of the table say at a time, without changing them. `at` is -1 for a counter that has none. */

export type WindowRule = Extract<CounterRule, { kind: 'window' }>
export type LeakyRule = Extract<CounterRule, { kind: 'leaky' }>

/** What is free at once after a cold start, in milliseconds' worth. */
const graceMs = 1_000
/** A level that hardly drains, or not at all, is told as this. */
const mostMs = 86_400_000

export function windowNumber({ windowMs }: WindowRule, nowMs: number): number {
  return Math.floor(nowMs / windowMs)
}

/** Used of the window open now. */
export function readWindow({ numbers }: CounterTable, at: number, rule: WindowRule, nowMs: number): number {
  const isOpen = at !== -1 && numbers[at + field.mark] === windowNumber(rule, nowMs)
  return isOpen ? (numbers[at + field.used] as number) : 0
}

/** Of a window that was open at a cold start nobody knows what was used: all but one second's worth and what its rate brings since. */
export function unknownOf({ numbers }: CounterTable, rule: WindowRule, nowMs: number, isCold: boolean): number {
  const createdAt = numbers[header.createdAt] as number
  if (!isCold || isYounger(rule, createdAt)) return 0
  if (windowNumber(rule, createdAt) !== windowNumber(rule, nowMs)) return 0
  return Math.max(0, rule.limit - Math.floor((rule.limit * (graceMs + nowMs - createdAt)) / rule.windowMs))
}

export function untilWindowEnds({ windowMs }: WindowRule, nowMs: number): number {
  return windowMs - (nowMs % windowMs)
}

/** Milliseconds until no more than the limit would be used, where it would be `wanted` now. */
export function untilWindowFits(
  table: CounterTable,
  rule: WindowRule,
  wanted: number,
  nowMs: number,
  isCold: boolean,
): number {
  const endMs = untilWindowEnds(rule, nowMs)
  const unknown = unknownOf(table, rule, nowMs, isCold)
  if (unknown === 0) return endMs
  const known = wanted - unknown
  const ageMs = nowMs - (table.numbers[header.createdAt] as number)
  const guessMs = (known * rule.windowMs) / rule.limit - graceMs - ageMs
  const isFitting = (ms: number) => known + unknownOf(table, rule, nowMs + ms, isCold) <= rule.limit
  return Math.min(endMs, firstMs(guessMs, isFitting))
}

export function readLevel(table: CounterTable, at: number, rule: LeakyRule, nowMs: number, isCold: boolean): number {
  const { numbers } = table
  if (at !== -1) {
    return Math.max(
      0,
      (numbers[at + field.used] as number) - rule.drainPerMs * (nowMs - (numbers[at + field.mark] as number)),
    )
  }
  const createdAt = numbers[header.createdAt] as number
  if (!isCold || isYounger(rule, createdAt)) return 0
  return Math.max(0, rule.depth - rule.drainPerMs * (graceMs + nowMs - createdAt))
}

/** Whether nothing can have been used before the counters were lost. */
function isYounger({ since }: WindowRule | LeakyRule, createdAt: number): boolean {
  return since !== undefined && since > createdAt
}

/** Milliseconds until a level of `used` is back at its depth. Of it, what the entry does not hold does not drain. */
export function untilLevelFits(
  table: CounterTable,
  at: number,
  rule: LeakyRule,
  used: number,
  nowMs: number,
  isCold: boolean,
): number {
  const more = used - readLevel(table, at, rule, nowMs, isCold)
  return firstMs(
    (used - rule.depth) / rule.drainPerMs,
    (ms) => readLevel(table, at, rule, nowMs + ms, isCold) + more <= rule.depth,
  )
}

/** The first whole millisecond from now at which `isReached`, where that is about `guessMs`: floating point may be off by one. */
function firstMs(guessMs: number, isReached: (ms: number) => boolean): number {
  if (!(guessMs < mostMs)) return mostMs
  let ms = Math.max(1, Math.ceil(guessMs) - 1)
  while (!isReached(ms) && ms < guessMs + 2) ms++
  return ms
}

export function stateOf(rule: CounterRule, used: number, nowMs: number): CounterState {
  if (rule.kind === 'window') return { used, resetMs: untilWindowEnds(rule, nowMs) }
  if (rule.kind === 'slots' || used === 0) return { used, resetMs: 0 }
  return { used, resetMs: Math.min(mostMs, Math.ceil(used / rule.drainPerMs)) }
}
