import type { JsonObject } from '../../../core/json.ts'

/** What can be brought over, in the order in which most of it can be made: what comes later may name what comes before. */
export const importKinds = [
  'quota',
  'blocklist',
  'topic',
  'filter-engine',
  'rai-policy',
  'deployment-policy',
  'deployment',
] as const
export type ImportKind = (typeof importKinds)[number]

/** Something that a foreign file asks for. */
export type ImportItem = {
  readonly kind: ImportKind
  readonly name: string
  /**
   * The document of our own API in the place of what is there, as that API shows it: what the file's format cannot say stays. Throws
   * Fault `invalid-request` for what cannot be read.
   */
  makeDocument(before: JsonObject | undefined): JsonObject
}

export type Reading = {
  /** What the file was taken for, for people. */
  readonly format: string
  readonly items: readonly ImportItem[]
  /** What was left out, and why, each with its place. */
  readonly notes: readonly string[]
}
