import type { z } from 'zod'

/** What is wrong with one field of a document that somebody sent or wrote. */
export type DocumentProblem = {
  /** As `backends[0].url`; empty for the whole document. */
  readonly path: readonly PropertyKey[]
  /** `got 5, expected a string` */
  readonly text: string
  /** The management API's own word for it, where it has one. */
  readonly code?: string | undefined
}

/** `model.name: got 5, expected a string` */
export function formatProblem({ path, text }: DocumentProblem): string {
  return path.length > 0 ? `${formatPath(path)}: ${text}` : text
}

export type ParseOptions = {
  /** What is allowed where a union stands, in words; without it the branch that got furthest into the value speaks. */
  readonly unionRule?: string
  /** Whether a value may not be repeated in a message. */
  readonly isSecret?: (path: readonly PropertyKey[]) => boolean
}

/**
 * Judges `input` by `schema` and says of every field at fault what was given and what is allowed. The inside of lists and objects
 * is not repeated, nor a user and password in a URL.
 */
export function parseDocument<T extends z.ZodType>(
  schema: T,
  input: unknown,
  options: ParseOptions = {},
): { readonly data: z.output<T> } | { readonly problems: readonly DocumentProblem[] } {
  const parsed = schema.safeParse(input)
  if (parsed.success) return { data: parsed.data }
  // Only what failed is judged again with words. What is allowed is put where zod has its message, so that a text of the schema's
  // own (`.regex(..., 'YYYY-MM-DD')`) wins.
  const { error } = schema.safeParse(input, { error: (issue) => describeAllowed(issue, options.unionRule) })
  return { problems: (error ?? parsed.error).issues.flatMap((issue) => describeIssue(issue, input, options)) }
}

/** What a field may look like. Anything else may be a text that slipped out of its quotes, a secret even, and is not repeated. */
const fieldPattern = /^[\w.-]{1,40}$/

function describeIssue(issue: z.core.$ZodIssue, input: unknown, options: ParseOptions): DocumentProblem[] {
  const { path, message } = issue
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) =>
      fieldPattern.test(key)
        ? { path: [...path, key], text: `unknown field, allowed are ${message}` }
        : { path, text: `unknown field with a name of ${key.length} characters, allowed are ${message}` },
    )
  }
  if (issue.code === 'invalid_union' && options.unionRule === undefined) {
    return describeUnion(issue, input, options)
  }
  if (issue.code === 'invalid_key') {
    return [{ path, text: `not a name that can stand here, expected ${issue.issues[0]?.message ?? message}` }]
  }
  const value = valueAt(input, path)
  if (value === undefined) return [{ path, text: `missing, expected ${message}` }]
  const given = options.isSecret?.(path) ? describeKind(value) : describeValue(value)
  return [{ path, text: `got ${given}, expected ${message}` }]
}

/** The branch that got furthest into the value says best what is wrong; where none got in, all say what they would take. */
function describeUnion(
  issue: Extract<z.core.$ZodIssue, { code: 'invalid_union' }>,
  input: unknown,
  options: ParseOptions,
): DocumentProblem[] {
  const nested = issue.errors.flat()
  const deepest = nested.toSorted((a, b) => b.path.length - a.path.length)[0]
  if (deepest && deepest.path.length > 0) {
    return describeIssue({ ...deepest, path: [...issue.path, ...deepest.path] }, input, options)
  }
  // A union that is told apart by one field says itself what that may be.
  const allowed = [...new Set(nested.map(({ message }) => message))].join(' or ') || issue.message
  return describeIssue({ ...issue, code: 'custom', message: allowed } as z.core.$ZodIssue, input, options)
}

function describeAllowed(issue: z.core.$ZodRawIssue, unionRule: string | undefined): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return nouns[issue.expected] ?? issue.expected
    case 'invalid_value':
      return `${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map((value) => JSON.stringify(value)).join(', ')}`
    case 'too_small':
      return `at least ${formatBound(issue.minimum, issue.origin)}`
    case 'too_big':
      return `at most ${formatBound(issue.maximum, issue.origin)}`
    case 'unrecognized_keys':
      return listFields(issue.inst)
    case 'invalid_format':
      return issue.format === 'url' ? 'an http or https URL' : undefined
    case 'invalid_union':
      return unionRule
    default:
      return undefined
  }
}

const nouns: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  record: 'an object',
}

function formatBound(limit: number | bigint, origin: string): string {
  const plural = limit === 1 ? '' : 's'
  if (origin === 'string') return `${limit} character${plural}`
  if (origin === 'array') return `${limit} item${plural}`
  return String(limit)
}

function listFields(schema: unknown): string {
  const shape = (schema as z.core.$ZodObject | undefined)?._zod.def.shape ?? {}
  return Object.keys(shape).join(', ')
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input
  for (const part of path) {
    if (value === null || typeof value !== 'object') return undefined
    value = (value as Record<PropertyKey, unknown>)[part]
  }
  return value
}

const shownLength = 60

function describeValue(value: unknown): string {
  if (typeof value !== 'string') return describeKind(value)
  const text = JSON.stringify(value.replace(/\/\/[^/?#]*@/g, '//...@'))
  return text.length <= shownLength ? text : `${text.slice(0, shownLength - 4)}..."`
}

function describeKind(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return 'a string'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

/** `messages[0].role` */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += text ? `.${String(part)}` : String(part)
  }
  return text
}
