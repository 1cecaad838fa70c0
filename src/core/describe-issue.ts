import type { z } from 'zod'

export type FieldProblem = {
  /** The field as a caller would write it: `messages[0].role`; empty for the whole document. */
  readonly field: string
  /** `got "robot", expected one of "system", "user"`. */
  readonly text: string
}

type Issue = z.core.$ZodIssue

/** Says of each zod issue which field, what was given and what is allowed. `input` is the document that was judged. */
export function describeIssues(issues: readonly Issue[], input: unknown): FieldProblem[] {
  return issues.flatMap((issue) => describeIssue(issue, input))
}

function describeIssue(issue: Issue, input: unknown): FieldProblem[] {
  const field = formatPath(issue.path)
  const given = `got ${quote(valueAt(input, issue.path))}`
  switch (issue.code) {
    case 'invalid_type':
      return [{ field, text: `${given}, expected ${article(issue.expected)}` }]
    case 'invalid_value':
      return [{ field, text: `${given}, expected ${oneOf(issue.values)}` }]
    case 'too_small':
      return [{ field, text: `${given}, expected ${bound('at least', issue.minimum, issue.origin)}` }]
    case 'too_big':
      return [{ field, text: `${given}, expected ${bound('at most', issue.maximum, issue.origin)}` }]
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ field: formatPath([...issue.path, key]), text: 'unknown field' }))
    case 'invalid_union':
      return [describeUnion(issue, field, given, input)]
    case 'invalid_format':
      return [
        { field, text: `${given}, expected ${issue.message.startsWith('Invalid') ? issue.format : issue.message}` },
      ]
    default:
      return [{ field, text: `${given}: ${issue.message}` }]
  }
}

/** A union failed: the branch that got furthest into the value says best what is wrong. */
function describeUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  field: string,
  given: string,
  input: unknown,
): FieldProblem {
  const deepest = issue.errors.flat().sort((a, b) => b.path.length - a.path.length)[0]
  if (deepest && deepest.path.length > 0) {
    const nested = { ...deepest, path: [...issue.path, ...deepest.path] } as Issue
    const [problem] = describeIssue(nested, input)
    if (problem) return problem
  }
  const expected = issue.errors.flatMap((branch) => branch.map(expectation)).filter(Boolean)
  return { field, text: expected.length > 0 ? `${given}, expected ${[...new Set(expected)].join(' or ')}` : given }
}

function expectation(issue: Issue): string {
  if (issue.code === 'invalid_type') return article(issue.expected)
  if (issue.code === 'invalid_value') return oneOf(issue.values)
  return issue.message.toLowerCase()
}

export function formatPath(path: readonly PropertyKey[]): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += text ? `.${String(part)}` : String(part)
  }
  return text
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input
  for (const part of path) {
    if (value === null || typeof value !== 'object') return undefined
    value = (value as Record<PropertyKey, unknown>)[part]
  }
  return value
}

/** The value as JSON, short enough for a message. */
export function quote(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value) ?? String(value)
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`
}

function article(type: string): string {
  if (type === 'int') return 'a whole number'
  if (type === 'record') return 'an object'
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`
}

function oneOf(values: readonly unknown[]): string {
  const list = values.map(quote).join(', ')
  return values.length === 1 ? list : `one of ${list}`
}

function bound(words: string, limit: number | bigint, origin: string): string {
  if (origin === 'string') return `${words} ${limit} characters`
  if (origin === 'array') return `${words} ${limit} items`
  return `${words} ${limit}`
}
