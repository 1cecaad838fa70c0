import type { z } from 'zod'
import { formatPath } from '../core/describe-issue.ts'

/** What is wrong with one field of a document that an operator wrote. */
export type SpecProblem = {
  /** As `backends[0].url`; empty for the whole document. */
  readonly path: readonly PropertyKey[]
  /** `got 5, expected a string` */
  readonly text: string
  /** The management API's own word for it, where it has one. */
  readonly code?: string | undefined
}

/** `model.name: got 5, expected a string` */
export function formatProblem({ path, text }: SpecProblem): string {
  return path.length > 0 ? `${formatPath(path)}: ${text}` : text
}

/**
 * Judges `input` by `schema` and says of every field at fault what was given and what is allowed. Secrets are not repeated:
 * nothing below a `credential` is, nor the inside of lists and objects, nor a user and password in a URL.
 * `credentialRule` says which credentials are allowed where this document comes from.
 */
export function parseDocument<T extends z.ZodType>(
  schema: T,
  input: unknown,
  credentialRule: string,
): { readonly data: z.output<T> } | { readonly problems: readonly SpecProblem[] } {
  // What is allowed is put where zod has its message, so that a text of the schema's own (`.regex(..., 'YYYY-MM-DD')`) wins.
  const parsed = schema.safeParse(input, { error: (issue) => describeAllowed(issue, credentialRule) })
  if (parsed.success) return { data: parsed.data }
  return { problems: parsed.error.issues.flatMap((issue) => describeIssue(issue, input)) }
}

function describeIssue(issue: z.core.$ZodIssue, input: unknown): SpecProblem[] {
  const { path, message } = issue
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], text: `unknown field, allowed are ${message}` }))
  }
  const value = valueAt(input, path)
  if (value === undefined) return [{ path, text: `missing, expected ${message}` }]
  return [
    {
      path,
      text: `got ${path.includes('credential') ? describeKind(value) : describeValue(value)}, expected ${message}`,
    },
  ]
}

function describeAllowed(issue: z.core.$ZodRawIssue, credentialRule: string): string | undefined {
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
      return credentialRule
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
