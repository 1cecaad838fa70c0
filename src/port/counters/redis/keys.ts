import type { CounterRule } from '../port.ts'

/**
 * How counters are named in the store.
 *
 * The leading part of a rule's key, up to its last `:` or `/`, becomes the hash tag: on a cluster all counters of one deployment (or
 * of one caller) then live in the same slot, and one script may decide them together. `deployment/gpt/tokens` is kept under
 * `ponto:{deployment/gpt}:window60000:tokens`.
 */
export function nameCounter(prefix: string, rule: CounterRule): string {
  const cut = Math.max(rule.key.lastIndexOf(':'), rule.key.lastIndexOf('/'))
  const lead = cut > 0 ? rule.key.slice(0, cut) : rule.key
  const rest = cut > 0 ? rule.key.slice(cut + 1) : ''
  // A brace inside would end the tag early.
  const tag = lead.replace(/[{}%]/g, encodeURIComponent)
  return `${prefix}:{${tag}}:${kindOf(rule)}:${rest}`
}

/** What makes two rules the same counter. A window of another length counts other windows. */
export function kindOf(rule: CounterRule): string {
  return rule.kind === 'window' ? `window${rule.windowMs}` : rule.kind
}

/** The keys of the heartbeat script: who is there, and the store's identity. */
export function nameMembership(prefix: string): readonly [string, string] {
  return [`${prefix}:{members}:seen`, `${prefix}:{members}:epoch`]
}
