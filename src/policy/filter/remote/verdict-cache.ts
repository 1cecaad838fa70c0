import { createHash } from 'node:crypto'
import type { Segment, Verdict } from '../../../core/filter/engine.ts'

export type VerdictCache = {
  get(key: string): Verdict | undefined
  put(key: string, verdict: Verdict): void
}

/** Verdicts by the texts they are about, the oldest unused forgotten first. Holds no texts. */
export function createVerdictCache(maxEntries: number): VerdictCache {
  const entries = new Map<string, Verdict>()
  return {
    get(key) {
      const verdict = entries.get(key)
      if (!verdict) return undefined
      entries.delete(key)
      entries.set(key, verdict)
      return verdict
    },
    put(key, verdict) {
      entries.delete(key)
      entries.set(key, verdict)
      if (entries.size <= maxEntries) return
      const [oldest] = entries.keys()
      if (oldest !== undefined) entries.delete(oldest)
    },
  }
}

/** What a verdict is about: the engine as configured, what it was asked, and the texts. */
export function verdictKey(about: readonly string[], segments: readonly Segment[]): string {
  const hash = createHash('sha256')
  // With its length before it, no text reads like two.
  for (const part of about) hash.update(`${part.length}:`).update(part)
  for (const { role, text } of segments) hash.update(`${role} ${text.length}:`).update(text)
  return hash.digest('base64')
}
