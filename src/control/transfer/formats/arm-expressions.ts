import { isJsonObject, type Json } from '../../../core/json.ts'
import { armFunctions, type Budget, memberOf, NoValue, spend } from './arm-functions.ts'

/** What expressions of ARM templates may name. Names match without regard to case, and stand here in lower case. */
export type Scope = {
  /** Values as they are. */
  readonly parameters: ReadonlyMap<string, Json>
  /** Defaults of parameters, and variables: both may be expressions themselves. */
  readonly defaults: ReadonlyMap<string, Json>
  readonly variables: ReadonlyMap<string, Json>
  /** Where each loop is, by its name; the innermost under ''. */
  readonly loops: ReadonlyMap<string, number>
  readonly budget: Budget
}

/** The value with every expression in it worked out. Throws NoValue for one that cannot be. */
export function evaluate(value: Json, scope: Scope, depth = 0): Json {
  if (depth > maxDepth) throw new NoValue('it refers to itself, or goes too deep')
  spend(scope.budget, 1)
  if (typeof value === 'string') return evaluateText(value, scope, depth)
  if (Array.isArray(value)) return value.map((item) => evaluate(item, scope, depth + 1))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, evaluate(item, scope, depth + 1)]))
}

const maxDepth = 64
/** As Azure has it. */
const longestExpression = 24_576

function evaluateText(text: string, scope: Scope, depth: number): Json {
  if (!text.startsWith('[')) return text
  // A bracket that is doubled is one that means itself.
  if (text.startsWith('[[')) return text.slice(1)
  if (!text.endsWith(']')) return text
  if (text.length > longestExpression) throw new NoValue(`an expression has more than ${longestExpression} characters`)
  const reader = { tokens: tokenize(text.slice(1, -1).trimEnd()), at: 0 }
  const value = readExpression(reader, scope, depth + 1)
  if (reader.at < reader.tokens.length) throw unclear(text)
  return value
}

type Reader = { readonly tokens: readonly string[]; at: number }

const tokenPattern = /\s*('(?:[^']|'')*'|-?\d+|[A-Za-z_]\w*|[()[\],.])/y

function tokenize(text: string): string[] {
  const tokens: string[] = []
  tokenPattern.lastIndex = 0
  while (tokenPattern.lastIndex < text.length) {
    const token = tokenPattern.exec(text)?.[1]
    if (token === undefined) throw unclear(`[${text}]`)
    tokens.push(token)
  }
  return tokens
}

function unclear(text: string): NoValue {
  return new NoValue(`${JSON.stringify(text.slice(0, 100))} is no expression that is understood here`)
}

function readExpression(reader: Reader, scope: Scope, depth: number): Json {
  if (depth > maxDepth) throw new NoValue('it refers to itself, or goes too deep')
  spend(scope.budget, 1)
  const token = reader.tokens[reader.at++] ?? ''
  let value: Json
  if (token.startsWith("'")) value = token.slice(1, -1).replaceAll("''", "'")
  else if (/^-?\d/.test(token)) value = Number(token)
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
    const found = memberOf(value, key)
    if (found === undefined) throw new NoValue(`there is no member ${JSON.stringify(key)}`)
    value = found
  }
}

function expect(reader: Reader, token: string): void {
  if (reader.tokens[reader.at++] !== token) throw new NoValue(`"${token}" is missing in an expression`)
}

function callFunction(name: string, list: readonly Json[], scope: Scope, depth: number): Json {
  const key = name.toLowerCase()
  if (key === 'parameters') return readParameter(String(list[0]), scope, depth)
  if (key === 'variables') {
    const found = scope.variables.get(String(list[0]).toLowerCase())
    if (found === undefined) throw new NoValue(`there is no variable ${JSON.stringify(list[0])}`)
    return evaluate(found, scope, depth + 1)
  }
  if (key === 'copyindex') return readLoop(list, scope)
  const run = armFunctions.get(key)
  if (!run) throw new NoValue(`the function ${JSON.stringify(name.slice(0, 100))} is not known here`)
  return run(list, scope.budget)
}

function readParameter(name: string, scope: Scope, depth: number): Json {
  const key = name.toLowerCase()
  const given = scope.parameters.get(key)
  if (given !== undefined) return given
  const usual = scope.defaults.get(key)
  if (usual !== undefined) return evaluate(usual, scope, depth + 1)
  throw new NoValue(`the parameter ${JSON.stringify(name)} has no value; give it one with --parameter ${name}=VALUE`)
}

/** `copyIndex()`, `copyIndex('loop')`, either with what is added. */
function readLoop(list: readonly Json[], { loops }: Scope): number {
  const name = typeof list[0] === 'string' ? list[0] : ''
  const added = list.find((value) => typeof value === 'number') ?? 0
  const index = loops.get(name.toLowerCase())
  if (index === undefined) throw new NoValue(`copyIndex() stands outside of the loop ${JSON.stringify(name)}`)
  return index + Number(added)
}
