import type { CounterRule } from './port.ts'

type Rule<Kind extends CounterRule['kind']> = Extract<CounterRule, { kind: Kind }>

export const windowRule = (key: string, limit: number, settles = true, windowMs = 60_000): Rule<'window'> => ({
  kind: 'window',
  key,
  limit,
  windowMs,
  settles,
})
export const leakyRule = (key: string, drainPerMs: number, depth: number): Rule<'leaky'> => ({
  kind: 'leaky',
  key,
  drainPerMs,
  depth,
})
export const slotsRule = (key: string, limit: number): Rule<'slots'> => ({ kind: 'slots', key, limit })
