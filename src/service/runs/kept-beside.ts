import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ItemRow } from '../../port/tables/runs/port.ts'
import type { Citation } from '../tools/hosted-tool.ts'

/** What the engine keeps in an item's `extras`, beside what the APIs show of it. */
export type Beside = {
  /** Of messages that were cut short: `{reason: 'max_tokens'}`, in the words of the old API. */
  readonly incomplete_details?: { readonly reason: string } | undefined
  /** The tokens of the model's turn, at its last item, as a run has them. */
  readonly usage?: JsonObject | undefined
  /**
   * Of messages, for each annotation of the text what stood there when the model wrote it. It was taken out at the annotation's `index`
   * (characters, not UTF-16 units); '' where nothing was.
   */
  readonly marks?: readonly string[] | undefined
  /** Of messages: images that tools made on the way to them, which the old API shows before the text. */
  readonly images?: readonly string[] | undefined
  /** Of calls of hosted tools: what the model asked, and what it was told. */
  readonly call?: HostedCall | undefined
}

export type HostedCall = {
  readonly call_id: string
  readonly name: string
  readonly arguments: string
  /** Absent until the call is done. */
  readonly output?: string | undefined
  readonly citations?: readonly Citation[] | undefined
  readonly files?:
    | readonly { readonly fileId: string; readonly filename: string; readonly isImage: boolean }[]
    | undefined
  /** The caller has to agree first. */
  readonly isPaused?: boolean | undefined
}

export function besideOf(item: ItemRow): Beside {
  return item.extras as Beside
}

/** With some of it changed. */
export function withBeside(item: ItemRow, change: Beside): ItemRow {
  return { ...item, extras: { ...item.extras, ...(dropAbsent(change) as JsonObject) } }
}

function dropAbsent(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined))
}

/** The objects of a list that came out of the tables. */
export function objectsOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}
