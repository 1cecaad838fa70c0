import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import { unreadable } from '../reading.ts'

/** A field that must be a list of objects. */
export function objectsAt(object: JsonObject, name: string): JsonObject[] {
  const value = object[name]
  if (!Array.isArray(value) || !value.every(isJsonObject)) throw unreadable(`its answer has no list ${name}`)
  return value as JsonObject[]
}

/** A list of objects that may be left out or null. */
export function optionalObjectsAt(object: JsonObject, name: string): JsonObject[] {
  return object[name] === undefined || object[name] === null ? [] : objectsAt(object, name)
}

export function objectAt(object: JsonObject, name: string): JsonObject {
  const value = object[name]
  if (!isJsonObject(value)) throw unreadable(`its answer has no object ${name}`)
  return value
}

/** An object that may be left out or null. */
export function optionalObjectAt(object: JsonObject, name: string): JsonObject | undefined {
  return object[name] === undefined || object[name] === null ? undefined : objectAt(object, name)
}

export function booleanAt(object: JsonObject, name: string): boolean {
  const value = object[name]
  if (typeof value !== 'boolean') throw unreadable(`its answer has no ${name} of true or false`)
  return value
}

export function textAt(object: JsonObject, name: string): string {
  const value = object[name]
  if (typeof value !== 'string') throw unreadable(`its answer has no text ${name}`)
  return value
}

/** A score of 0 to 1, if it is one. */
export function asScore(value: Json | undefined): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= 1 ? value : undefined
}

/** Services that answer 200 and mean an error say so in a field of that name. */
export function refuseError(answer: JsonObject): void {
  for (const name of ['error', 'errors', 'Error', '__type', 'errorMessage', 'innererror', 'fault']) {
    const value = answer[name]
    const isEmpty = value === undefined || value === null || (Array.isArray(value) && value.length === 0)
    if (!isEmpty) throw unreadable('it answered with status 200 and an error')
  }
}
