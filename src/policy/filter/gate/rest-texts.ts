import { isJsonObject, type Json, type JsonObject, setField } from '../../../core/json.ts'

/** A text somewhere in a value, and where: `audio.transcript`. */
export type PlacedText = { readonly path: string; readonly text: string }

/** Annotations of an upstream and what it was served as: its words about the answer, not of it. */
const annotations: ReadonlySet<string> = new Set([
  'content_filter_results',
  'content_filter_result',
  'content_filter_offsets',
  'content_filter_raw',
  'content_filters',
  'prompt_filter_results',
  'prompt_annotations',
  'service_tier',
  'usage',
])

/** Fields whose value is one of a protocol's own words, such as `web_search_result`. */
const wordNames: ReadonlySet<string> = new Set(['type', 'stop_reason'])
const protocolWord = /^[a-z][a-z0-9_]*$/
/** Fields of what only the serving model can read, such as the signature of a thought, and of ids: one other character spoils them. */
const sealedNames: ReadonlySet<string> = new Set([
  'signature',
  'data',
  'encrypted_content',
  'encrypted_index',
  'encrypted_stdout',
  'id',
  'tool_use_id',
])
/** Ids as responses have them: a word and hexadecimal digits. */
const hexId = /^[a-z]{2,6}_[0-9a-f]{24,96}$/
const sealed = /^(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=[^0-9]*[0-9])[A-Za-z0-9+/_=-]{24,}$/

/** Whether a text is none that anybody says. What has such a name and does not look like it is judged as any other. */
function saysNothing(name: string, text: string): boolean {
  if (text === '') return true
  if (name === 'id' && hexId.test(text)) return true
  return wordNames.has(name) ? protocolWord.test(text) : sealedNames.has(name) && sealed.test(text)
}

/** Entries of a list after this many share a place. */
const toldEntries = 8

/** The texts of a value in their order, however deep they are. */
export function listTexts(value: Json, path: string): readonly PlacedText[] {
  return list(value, path, () => false)
}

/** Those that somebody says: without words of a protocol, and without what only the serving model can read. */
export function listSaid(value: Json, path: string): readonly PlacedText[] {
  return list(value, path, saysNothing)
}

function list(value: Json, path: string, skips: (name: string, text: string) => boolean): readonly PlacedText[] {
  const texts: PlacedText[] = []
  // Not by recursion: a stranger decides how deep this is.
  const open: [Json, string, string][] = [[value, path, '']]
  for (let next = open.pop(); next; next = open.pop()) {
    const [inner, place, name] = next
    if (typeof inner === 'string') {
      if (!skips(name, inner)) texts.push({ path: place, text: inner })
    } else if (Array.isArray(inner)) {
      for (let i = inner.length - 1; i >= 0; i--) {
        open.push([inner[i] as Json, `${place}[${i < toldEntries ? i : ''}]`, ''])
      }
    } else if (isJsonObject(inner)) {
      for (const [key, member] of Object.entries(inner).reverse()) open.push([member, `${place}.${key}`, key])
    }
  }
  return texts
}

/** The value with each text changed, in the order of `listSaid`. */
export function mapSaid(value: Json, change: (text: string) => string, name = ''): Json {
  if (typeof value === 'string') return saysNothing(name, value) ? value : change(value)
  if (Array.isArray(value)) return value.map((inner) => mapSaid(inner, change))
  if (!isJsonObject(value)) return value
  const changed: JsonObject = {}
  for (const [key, inner] of Object.entries(value)) setField(changed, key, mapSaid(inner, change, key))
  return changed
}

/** The unknown fields that may say anything. */
export function judgedFields(fields: JsonObject): readonly [string, Json][] {
  return Object.entries(fields).filter(
    ([name, value]) => !annotations.has(name) && !(typeof value === 'string' && saysNothing(name, value)),
  )
}
