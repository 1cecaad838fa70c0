import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'

/**
 * Expressions of ARM templates, as far as names and settings of deployments need them: `parameters`, `variables`, `concat`, `format`,
 * `resourceId` (of which only the last name counts) and texts. Source: the template reference of Azure Resource Manager.
 */
export type Scope = { readonly parameters: JsonObject; readonly variables: JsonObject }

/** Why an expression has no value here. */
export class NoValue extends Error {}

/** The value with every expression in it worked out. Throws NoValue for one that cannot be. */
export function evaluate(value: Json, scope: Scope, depth = 0): Json {
  if (depth > maxDepth) throw new NoValue('it refers to itself, or goes too deep')
  if (typeof value === 'string') return evaluateText(value, scope, depth)
  if (Array.isArray(value)) return value.map((item) => evaluate(item, scope, depth + 1))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, evaluate(item, scope, depth + 1)]))
}

const maxDepth = 64

function evaluateText(text: string, scope: Scope, depth: number): Json {
  if (!text.startsWith('[')) return text
  // A bracket that is doubled is one that means itself.
  if (text.startsWith('[[')) return text.slice(1)
  if (!text.endsWith(']')) return text
  const reader = { tokens: tokenize(text.slice(1, -1)), at: 0 }
  const value = readExpression(reader, scope, depth + 1)
  if (reader.at < reader.tokens.length) throw new NoValue(`"${text}" is no expression that is understood here`)
  return value
}

type Reader = { readonly tokens: readonly string[]; at: number }

const tokenPattern = /\s*('(?:[^']|'')*'|-?\d+|[A-Za-z_]\w*|[()[\],.])/y

function tokenize(text: string): string[] {
  const tokens: string[] = []
  tokenPattern.lastIndex = 0
  while (tokenPattern.lastIndex < text.trimEnd().length) {
    const token = tokenPattern.exec(text)?.[1]
    if (token === undefined) throw new NoValue(`"[${text}]" is no expression that is understood here`)
    tokens.push(token)
  }
  return tokens
}

function readExpression(reader: Reader, scope: Scope, depth: number): Json {
  if (depth > maxDepth) throw new NoValue('it refers to itself, or goes too deep')
  const token = reader.tokens[reader.at++] ?? ''
  let value: Json
  if (token.startsWith("'")) value = token.slice(1, -1).replaceAll("''", "'")
  else if (/^-?\d/.test(token)) value = Number(token)
  else if (token === 'true' || token === 'false') value = token === 'true'
  else if (token === 'null') value = null
  else value = callFunction(token, readArguments(reader, scope, depth), scope, depth)
  return readMembers(reader, value, scope, depth)
}

function readArguments(reader: Reader, scope: Scope, depth: number): Json[] {
  expect(reader, '(')
  const list: Json[] = []
  while (reader.tokens[reader.at] !== ')') {
    if (list.length > 0) expect(reader, ',')
    list.push(readExpression(reader, scope, depth + 1))
  }
  reader.at++
  return list
}

function readMembers(reader: Reader, start: Json, scope: Scope, depth: number): Json {
  let value = start
  for (;;) {
    const token = reader.tokens[reader.at]
    if (token !== '.' && token !== '[') return value
    reader.at++
    const key = token === '.' ? (reader.tokens[reader.at++] ?? '') : readExpression(reader, scope, depth + 1)
    if (token === '[') expect(reader, ']')
    const found: Json | undefined = Array.isArray(value)
      ? value[Number(key)]
      : isJsonObject(value) && Object.hasOwn(value, String(key))
        ? value[String(key)]
        : undefined
    if (found === undefined) throw new NoValue(`there is no member "${key}"`)
    value = found
  }
}

function expect(reader: Reader, token: string): void {
  if (reader.tokens[reader.at++] !== token) throw new NoValue(`"${token}" is missing in an expression`)
}

function callFunction(name: string, list: readonly Json[], scope: Scope, depth: number): Json {
  switch (name.toLowerCase()) {
    case 'parameters':
      return lookUp(scope.parameters, 'parameter', list[0])
    case 'variables':
      return evaluate(lookUp(scope.variables, 'variable', list[0]), scope, depth + 1)
    case 'concat':
      return Array.isArray(list[0]) ? (list.flat() as Json[]) : list.map(String).join('')
    case 'format':
      return String(list[0]).replace(/\{(\d+)\}/g, (_, index) => String(list[Number(index) + 1] ?? ''))
    case 'tolower':
      return String(list[0]).toLowerCase()
    case 'toupper':
      return String(list[0]).toUpperCase()
    case 'string':
      return typeof list[0] === 'string' ? list[0] : JSON.stringify(list[0] ?? null)
    case 'int':
      return Number(list[0])
    case 'resourceid':
      return list.map(String).join('/')
    default:
      throw new NoValue(`the function "${name}" is not known here`)
  }
}

function lookUp(values: JsonObject, noun: string, name: Json | undefined): Json {
  // Names of ARM match without regard to case.
  const found = Object.entries(values).find(([key]) => key.toLowerCase() === String(name).toLowerCase())
  if (!found) throw new NoValue(`the ${noun} "${name}" has no value`)
  return found[1]
}
