/** JSON values as they come off the wire. */
export type Json = null | boolean | number | string | Json[] | JsonObject
export type JsonObject = { [key: string]: Json }

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The keys of `object` that are not in `known`, or undefined when there are none (the usual case allocates nothing). */
export function pickUnknown(object: JsonObject, known: ReadonlySet<string>): JsonObject | undefined {
  let rest: JsonObject | undefined
  for (const key in object) {
    if (known.has(key)) continue
    rest ??= {}
    setField(rest, key, object[key] as Json)
  }
  return rest
}

/** A number that can be written again: `1e999` is JSON, but what it is read as is not. */
export function asNumber(value: Json | undefined): number | undefined {
  return Number.isFinite(value) ? (value as number) : undefined
}

/** Gives `object` a field of its own, whatever its name: assigning to "__proto__" would do something else. */
export function setField(object: JsonObject, name: string, value: Json): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
  } else object[name] = value
}

/** Deeper than any real document, and far from what exhausts the stack of those who walk through a value or write it. */
export const maxJsonDepth = 1000

/** The JSON object that `text` is; undefined for anything else, and for one nested deeper than `maxJsonDepth`. */
export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) && !isTooDeep(value, text.length) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether `value`, which was parsed from that many characters, is nested deeper than `maxJsonDepth`. */
export function isTooDeep(value: unknown, textLength: number): boolean {
  // Each level takes two characters, so short texts need no look.
  return textLength > 2 * maxJsonDepth && isDeeper(value, maxJsonDepth)
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  const items = Array.isArray(value) ? value : Object.values(value)
  for (const item of items) if (isDeeper(item, levels - 1)) return true
  return false
}
