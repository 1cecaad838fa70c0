import { Fault } from '../../core/fault.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'

/** Deeper than any document here; a patch that goes on must not exhaust the stack. */
const maxDepth = 16

/** `target` changed by a JSON merge patch (RFC 7396): null removes a field, objects are merged, everything else replaces. */
export function mergePatch(target: JsonObject, patch: JsonObject, depth = 0): JsonObject {
  if (depth > maxDepth) throw new Fault('invalid-request', `The patch is nested deeper than ${maxDepth} levels.`)
  const fields = new Map<string, Json>(Object.entries(target))
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) fields.delete(name)
    else if (isJsonObject(value)) {
      const current = fields.get(name)
      fields.set(name, mergePatch(isJsonObject(current) ? current : {}, value, depth + 1))
    } else fields.set(name, value)
  }
  // Own fields only, whatever their names: assigning to "__proto__" would do something else.
  return Object.fromEntries(fields)
}
