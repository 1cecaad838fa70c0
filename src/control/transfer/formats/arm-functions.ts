import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'

/** Why an expression has no value here. */
export class NoValue extends Error {}

/** What an evaluation may still come to; a template can ask for more than any memory holds with a few lines. */
export type Budget = { left: number }

/** Throws NoValue when it is used up. */
export function spend(budget: Budget, amount: number): void {
  budget.left -= amount
  if (budget.left < 0) throw new NoValue('it comes to more than is worked out here')
}

type ArmFunction = (list: readonly Json[], budget: Budget) => Json

/**
 * Functions that names and settings of deployments are made with, by their names in lower case. Those that ask Azure for something
 * are not among them. Source: the template reference of Azure Resource Manager.
 */
export const armFunctions: ReadonlyMap<string, ArmFunction> = new Map<string, ArmFunction>([
  ['concat', (list, budget) => (Array.isArray(list[0]) ? (list.flat() as Json[]) : join(list, '', budget))],
  ['format', format],
  ['tolower', ([text]) => String(text).toLowerCase()],
  ['toupper', ([text]) => String(text).toUpperCase()],
  ['string', ([value], budget) => writeText(value ?? null, budget)],
  ['int', ([value]) => Number(value)],
  ['bool', ([value]) => (typeof value === 'string' ? value.toLowerCase() === 'true' : Boolean(value))],
  ['json', ([text]) => readJson(text)],
  ['null', () => null],
  ['true', () => true],
  ['false', () => false],
  ['if', ([condition, yes, no]) => (condition === true ? yes : no) ?? null],
  ['equals', ([a, b]) => isEqual(a, b)],
  ['not', ([value]) => value !== true],
  ['and', (list) => list.every((value) => value === true)],
  ['or', (list) => list.some((value) => value === true)],
  ['empty', ([value]) => value === null || sizeOf(value) === 0],
  ['length', ([value]) => sizeOf(value)],
  ['contains', ([whole, part]) => hasPart(whole, part)],
  ['coalesce', (list) => list.find((value) => value !== null) ?? null],
  ['createarray', (list) => [...list]],
  ['createobject', createObject],
  ['union', (list) => (Array.isArray(list[0]) ? uniteLists(list) : uniteObjects(list))],
  ['tryget', ([value, ...keys]) => keys.reduce<Json>((found, key) => memberOf(found, key) ?? null, value ?? null)],
  // Of an id, only the last name counts here.
  ['resourceid', (list, budget) => join(list, '/', budget)],
])

/** undefined: it has no such member of its own. */
export function memberOf(value: Json, key: Json): Json | undefined {
  if (Array.isArray(value)) return value[Number(key)]
  return isJsonObject(value) && Object.hasOwn(value, String(key)) ? value[String(key)] : undefined
}

function join(list: readonly Json[], between: string, budget: Budget): string {
  const texts = list.map((value) => writeText(value, budget))
  return texts.join(between)
}

function writeText(value: Json, budget: Budget): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  spend(budget, text.length)
  return text
}

function format([pattern, ...values]: readonly Json[], budget: Budget): string {
  return String(pattern).replace(/\{(\d+)\}/g, (_, index) => {
    const value = values[Number(index)]
    return value === undefined ? '' : writeText(value, budget)
  })
}

function readJson(text: Json | undefined): Json {
  try {
    return JSON.parse(String(text)) as Json
  } catch {
    throw new NoValue('json() is given what is no JSON')
  }
}

function isEqual(a: Json | undefined, b: Json | undefined): boolean {
  // Texts are compared without regard to case, as ARM does.
  if (typeof a === 'string' && typeof b === 'string') return a.toLowerCase() === b.toLowerCase()
  return JSON.stringify(a) === JSON.stringify(b)
}

function sizeOf(value: Json | undefined): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length
  return isJsonObject(value) ? Object.keys(value).length : 0
}

function hasPart(whole: Json | undefined, part: Json | undefined): boolean {
  if (typeof whole === 'string') return whole.includes(String(part))
  if (Array.isArray(whole)) return whole.some((item) => isEqual(item, part))
  return isJsonObject(whole) && Object.keys(whole).some((name) => isEqual(name, String(part)))
}

function createObject(list: readonly Json[]): JsonObject {
  const pairs = list.flatMap((name, index) =>
    index % 2 === 0 ? [[String(name), list[index + 1] ?? null] as const] : [],
  )
  return Object.fromEntries(pairs)
}

function uniteObjects(objects: readonly Json[]): JsonObject {
  return Object.fromEntries(objects.filter(isJsonObject).flatMap((object) => Object.entries(object)))
}

function uniteLists(lists: readonly Json[]): Json[] {
  const items = (lists.flat() as Json[]).map((item) => [JSON.stringify(item), item] as const)
  return [...new Map(items).values()]
}
