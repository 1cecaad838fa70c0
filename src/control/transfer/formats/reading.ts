import type { JsonObject } from '../../../core/json.ts'

/** What can be brought over, in the order in which it has to be made: what comes later may name what comes before. */
export const importKinds = [
  'blocklist',
  'topic',
  'filter-engine',
  'rai-policy',
  'deployment-policy',
  'deployment',
] as const
export type ImportKind = (typeof importKinds)[number]

/** A document of our own API that came out of a foreign file. */
export type ImportItem = { readonly kind: ImportKind; readonly name: string; readonly document: JsonObject }

export type Reading = {
  /** What the file was taken for, for people. */
  readonly format: string
  readonly items: readonly ImportItem[]
  /** Fields of a deployment that the format cannot say: those of one that is there stay. */
  readonly unsaid: readonly string[]
  /** What was left out, and why, each with its place. */
  readonly notes: readonly string[]
}
