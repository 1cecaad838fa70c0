import type { CounterRule } from './port.ts'

export const windowRule = (key: string, limit: number, settles = true, windowMs = 60_000): CounterRule => ({
  kind: 'window',
  key,
  limit,
  windowMs,
  settles,
})
