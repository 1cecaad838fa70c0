import type { CounterRule } from '../port.ts'

/** 64 bits that stand for a counter, never both 0: two counters of one server share them with a chance of about 1 in 10^10 at 60,000. */
export type CounterKey = { readonly low: number; readonly high: number }

/** A window of another length is another counter: one number cannot tell the windows of both. */
export function keyOf(rule: CounterRule): CounterKey {
  return hashKey(rule.kind === 'window' ? `window${rule.windowMs}\n${rule.key}` : `${rule.kind}\n${rule.key}`)
}

/** In place of `low` for the part of a counter that belongs to one lane. */
export function lowOfLane(low: number, lane: number): number {
  return mix(low ^ Math.imul(lane + 1, 0x9e3779b1))
}

function hashKey(text: string): CounterKey {
  let low = 0x811c9dc5
  let high = 0x2545f491
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    low = Math.imul(low ^ code, 0xcc9e2d51)
    low ^= low >>> 15
    high = Math.imul(high ^ code, 0x85ebca6b)
    high ^= high >>> 13
  }
  return { low: mix(low), high: mix(high) || 1 }
}

/** Spreads every bit over all (the last steps of murmur3). */
function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
