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
    rest[key] = object[key] as Json
  }
  return rest
}
