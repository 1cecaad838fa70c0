import { isJsonObject, type Json, type JsonObject, setField } from '../../../core/json.ts'

/** A text somewhere in a value, and where: `audio.transcript`. */
export type PlacedText = { readonly path: string; readonly text: string }

/** Annotations of an upstream and what it was served as: its words about the answer, not of it. */
const annotations: ReadonlySet<string> = new Set([
  'content_filter_results',
  'content_filter_result',
  'content_filter_offsets',
  'content_filter_raw',
  'prompt_filter_results',
  'prompt_annotations',
  'service_tier',
])

/** Entries of a list after this many share a place. */
const toldEntries = 8

/** The texts of a value in their order, however deep they are. */
export function listTexts(value: Json, path: string): readonly PlacedText[] {
  const texts: PlacedText[] = []
  // Not by recursion: a stranger decides how deep this is.
  const open: [Json, string][] = [[value, path]]
  for (let next = open.pop(); next; next = open.pop()) {
    const [inner, place] = next
    if (typeof inner === 'string') texts.push({ path: place, text: inner })
    else if (Array.isArray(inner)) {
      for (let i = inner.length - 1; i >= 0; i--) {
        open.push([inner[i] as Json, `${place}[${i < toldEntries ? i : ''}]`])
      }
    } else if (isJsonObject(inner)) {
      for (const [name, member] of Object.entries(inner).reverse()) open.push([member, `${place}.${name}`])
    }
  }
  return texts
}

/** The value with each text changed, in the order of `listTexts`. */
export function mapTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((inner) => mapTexts(inner, change))
  if (!isJsonObject(value)) return value
  const changed: JsonObject = {}
  for (const [name, inner] of Object.entries(value)) setField(changed, name, mapTexts(inner, change))
  return changed
}

/** The unknown fields that may say anything. */
export function judgedFields(fields: JsonObject): readonly [string, Json][] {
  return Object.entries(fields).filter(([name]) => !annotations.has(name))
}
