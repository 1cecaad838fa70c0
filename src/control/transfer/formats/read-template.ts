import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import { evaluate, type Scope } from './arm-expressions.ts'
import { NoValue } from './arm-functions.ts'
import { type ArmResource, describeResource, isTakenOver, readResources, typeOf } from './read-arm.ts'
import { readOwn } from './read-own.ts'
import type { Reading } from './reading.ts'

/** Whether a document is a template of Azure Resource Manager, compiled Bicep included. */
export function isArmTemplate(document: unknown): document is JsonObject {
  return isJsonObject(document) && 'resources' in document && typeof document.$schema === 'string'
}

/** What all expressions of a template together may come to. */
const mostSteps = 10_000_000
const mostCopies = 800
const mostModules = 16

/** `parameters`: values beside the template's own defaults, as a parameter file has them or plain. */
export function readArmTemplate(template: JsonObject, parameters: JsonObject = {}): Reading {
  const notes: string[] = []
  const scope = openScope(template, parameters, { left: mostSteps })
  const { resources, others } = expandTemplate(template, scope, notes)
  const own = ownPartsOf(template)
  const sections = own && isJsonObject(own.others) ? readOwn(own.others) : undefined
  notes.push(...(sections?.notes ?? []))
  const items = [...(sections?.items ?? []), ...readResources(resources, others, notes, own)]
  return { format: 'an ARM template', items, notes }
}

/** What Ponto has beyond ARM, which an exported template carries in its metadata. */
function ownPartsOf({ metadata }: JsonObject): JsonObject | undefined {
  const ponto = isJsonObject(metadata) ? metadata.ponto : undefined
  return isJsonObject(ponto) ? ponto : undefined
}

type Expanded = { readonly resources: ArmResource[]; readonly others: { type: string; name: string }[] }

/** Every resource of it that counts here, loops and modules written out; `others` are those that do not. */
function expandTemplate(template: JsonObject, scope: Scope, notes: string[], depth = 0): Expanded {
  const expanded: Expanded = { resources: [], others: [] }
  for (const { type, parent, body } of listResources(template.resources, '', '')) {
    if (body.existing === true) continue
    const isModule = typeOf(type) === 'microsoft.resources/deployments'
    if (!isModule && !isTakenOver(type)) {
      expanded.others.push({ type, name: String(body.name) })
      continue
    }
    try {
      for (const inner of repeat(body.copy, scope)) {
        if (body.condition !== undefined && evaluate(body.condition, inner) === false) continue
        if (isModule) addModule(body, inner)
        else expanded.resources.push(readOne(type, parent, body, inner))
      }
    } catch (error) {
      if (!(error instanceof NoValue)) throw error
      notes.push(`${type} ${JSON.stringify(body.name)} is left out: ${error.message}`)
    }
  }
  return expanded

  function addModule({ properties }: JsonObject, outer: Scope): void {
    const {
      template: inner,
      parameters,
      expressionEvaluationOptions: options,
    } = isJsonObject(properties) ? properties : {}
    if (!isJsonObject(inner)) throw new NoValue('what it is made of is in another file')
    if (depth >= mostModules) throw new NoValue('modules stand in one another too deep')
    const isOwn = isJsonObject(options) && String(options.scope).toLowerCase() === 'inner'
    const given = isJsonObject(parameters) ? (evaluate(parameters, outer) as JsonObject) : {}
    const { resources, others } = expandTemplate(
      inner,
      isOwn ? openScope(inner, given, outer.budget) : outer,
      notes,
      depth + 1,
    )
    expanded.resources.push(...resources)
    expanded.others.push(...others)
  }
}

/** Only what is read later: what else stands there may need Azure to be worked out. */
const readFields = ['id', 'name', 'sku', 'tags', 'properties']

function readOne(type: string, parent: string, body: JsonObject, scope: Scope): ArmResource {
  const read = Object.fromEntries(Object.entries(body).filter(([name]) => readFields.includes(name)))
  const known = evaluate(read, scope) as JsonObject
  const parentName = parent === '' ? undefined : String(evaluate(parent, scope)).split('/').at(-1)
  return describeResource({ ...known, type }, parentName)
}

/** Once, or as often as `copy` says. */
function* repeat(copy: Json | undefined, scope: Scope): Generator<Scope> {
  if (!isJsonObject(copy)) return yield scope
  const count = evaluate(copy.count ?? null, scope)
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 0 || count > mostCopies)
    throw new NoValue(`its loop has no count from 0 to ${mostCopies}`)
  const name = String(copy.name).toLowerCase()
  for (let index = 0; index < count; index++) {
    yield { ...scope, loops: new Map([...scope.loops, [name, index], ['', index]]) }
  }
}

/** Resources, and those that stand within them, with the whole type of each. */
function* listResources(
  resources: Json | undefined,
  typeBefore: string,
  parent: string,
): Generator<{ readonly type: string; readonly parent: string; readonly body: JsonObject }> {
  // Since languageVersion 2.0 they have symbolic names instead of places in a list.
  const list = isJsonObject(resources) ? Object.values(resources) : Array.isArray(resources) ? resources : []
  for (const item of list) {
    if (!isJsonObject(item) || typeof item.type !== 'string') continue
    const type = typeBefore === '' ? item.type : `${typeBefore}/${item.type}`
    const { resources: inner, ...body } = item
    yield { type, parent, body }
    if (inner !== undefined) yield* listResources(inner, type, String(item.name))
  }
}

function openScope(template: JsonObject, given: JsonObject, budget: Scope['budget']): Scope {
  const rules = isJsonObject(template.parameters) ? template.parameters : {}
  const defaults = Object.entries(rules).flatMap(([name, rule]) =>
    isJsonObject(rule) && rule.defaultValue !== undefined ? [[name, rule.defaultValue] as const] : [],
  )
  return {
    parameters: byName(Object.entries(valuesOf(given))),
    defaults: byName(defaults),
    variables: byName(Object.entries(isJsonObject(template.variables) ? template.variables : {})),
    loops: new Map(),
    budget,
  }
}

function byName(fields: readonly (readonly [string, Json])[]): ReadonlyMap<string, Json> {
  return new Map(fields.map(([name, value]) => [name.toLowerCase(), value]))
}

/** A parameter file wraps each value. */
function valuesOf(given: JsonObject): JsonObject {
  const list = isJsonObject(given.parameters) ? given.parameters : given
  return Object.fromEntries(
    Object.entries(list).map(([name, value]) => [
      name,
      isJsonObject(value) && 'value' in value ? (value.value as Json) : value,
    ]),
  )
}
