import type { CounterRule } from './port.ts'

export const windowRule = (key: string, limit: number, settles = true, windowMs = 60_000): CounterRule => ({
  kind: 'window',
  key,
  limit,
  windowMs,
  settles,
})
export const leakyRule = (key: string, drainPerMs: number, depth: number): CounterRule => ({
  kind: 'leaky',
  key,
  drainPerMs,
  depth,
})
export const slotsRule = (key: string, limit: number): CounterRule => ({ kind: 'slots', key, limit })
