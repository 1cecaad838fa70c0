import { isJsonObject, type Json, type JsonObject } from '../../src/core/json.ts'

/**
 * What of JSON Schema the vendors' API descriptions use, in the dialects of Swagger 2 and OpenAPI 3.0 and 3.1. Unknown fields are
 * allowed, as they are in all those descriptions. The answer is one line for every place that does not fit.
 */
export function validate(value: unknown, schema: JsonObject, document: JsonObject = {}, at = '$'): string[] {
  if (typeof schema.$ref === 'string') return validate(value, resolve(schema.$ref, document), document, at)
  if (value === null && (schema.nullable === true || schema['x-nullable'] === true)) return []
  const problems = [...checkType(value, schema, at), ...checkBranches(value, schema, document, at)]
  if (problems.length > 0) return problems
  if (Array.isArray(schema.enum) && !schema.enum.some((option) => option === value)) {
    problems.push(`${at}: got ${JSON.stringify(value)}, expected one of ${JSON.stringify(schema.enum)}`)
  }
  if (schema.const !== undefined && schema.const !== value)
    problems.push(`${at}: expected ${JSON.stringify(schema.const)}`)
  problems.push(...checkBounds(value, schema, at))
  if (Array.isArray(value) && isJsonObject(schema.items)) {
    const { items } = schema
    problems.push(...value.flatMap((item, index) => validate(item, items, document, `${at}[${index}]`)))
  }
  if (isJsonObject(value)) problems.push(...checkFields(value, schema, document, at))
  return problems
}

function resolve(ref: string, document: JsonObject): JsonObject {
  let found: Json | undefined = document
  for (const part of ref.replace(/^#\//, '').split('/')) {
    found = isJsonObject(found) ? found[part.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined
  }
  if (!isJsonObject(found)) throw new Error(`${ref} is not in the document`)
  return found
}

const isOfType: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isJsonObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
}

function checkType(value: unknown, { type }: JsonObject, at: string): string[] {
  if (type === undefined) return []
  const types = (Array.isArray(type) ? type : [type]) as string[]
  if (types.some((name) => isOfType[name]?.(value))) return []
  return [`${at}: got ${JSON.stringify(value)?.slice(0, 60)}, expected ${types.join(' or ')}`]
}

function checkBranches(value: unknown, schema: JsonObject, document: JsonObject, at: string): string[] {
  const all = (schema.allOf ?? []) as JsonObject[]
  const problems = all.flatMap((branch) => validate(value, branch, document, at))
  // Descriptions overlap, so one that fits is enough for `oneOf` too.
  for (const branches of [schema.oneOf, schema.anyOf] as (JsonObject[] | undefined)[]) {
    const tried = branches?.map((branch) => validate(value, branch, document, at)) ?? [[]]
    if (!tried.some((found) => found.length === 0)) problems.push(`${at}: fits no branch (${tried.flat().join('; ')})`)
  }
  return problems
}

function checkBounds(value: unknown, schema: JsonObject, at: string): string[] {
  const problems: string[] = []
  const within = (size: number, min: Json | undefined, max: Json | undefined, what: string): void => {
    if (typeof min === 'number' && size < min) problems.push(`${at}: ${what} ${size}, expected at least ${min}`)
    if (typeof max === 'number' && size > max) problems.push(`${at}: ${what} ${size}, expected at most ${max}`)
  }
  if (typeof value === 'number') within(value, schema.minimum, schema.maximum, 'got')
  if (typeof value === 'string') {
    within(value.length, schema.minLength, schema.maxLength, 'length')
    if (typeof schema.pattern === 'string' && !new RegExp(schema.pattern).test(value)) {
      problems.push(`${at}: got ${JSON.stringify(value.slice(0, 60))}, expected the pattern ${schema.pattern}`)
    }
  }
  if (Array.isArray(value)) within(value.length, schema.minItems, schema.maxItems, 'items')
  return problems
}

function checkFields(value: JsonObject, schema: JsonObject, document: JsonObject, at: string): string[] {
  const required = (schema.required ?? []) as string[]
  const problems = required.filter((key) => !(key in value)).map((key) => `${at}.${key}: missing`)
  const properties = isJsonObject(schema.properties) ? schema.properties : {}
  const others = isJsonObject(schema.additionalProperties) ? schema.additionalProperties : undefined
  for (const [key, item] of Object.entries(value)) {
    const property = properties[key] ?? others
    if (isJsonObject(property)) problems.push(...validate(item, property, document, `${at}.${key}`))
  }
  return problems
}
