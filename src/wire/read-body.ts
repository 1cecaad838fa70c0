import { z } from 'zod'
import { Fault } from '../core/fault.ts'
import type { JsonObject } from '../core/json.ts'
import { formatPath, parseDocument } from '../core/text/parse-document.ts'

/** Schemas as code made for them at their first use: the start is not held up, and a request costs a quarter. */
const compiled = new WeakMap<z.ZodType, z.ZodType>()

/** The body, or what stands `at` a place in it, judged by `schema`. Throws Fault `invalid-request` naming the first field at fault, what was given and what is allowed. */
export function readBody<T extends z.ZodType>(
  schema: T,
  body: JsonObject,
  at: readonly PropertyKey[] = [],
): z.output<T> {
  let fast = compiled.get(schema) as T | undefined
  if (!fast) {
    fast = z.compile(schema)
    compiled.set(schema, fast)
  }
  if (z.validate(fast, body)) return body as z.output<T>
  const parsed = parseDocument(schema, body)
  if ('data' in parsed) return parsed.data
  const [problem] = parsed.problems
  const param = problem && formatPath([...at, ...problem.path])
  throw new Fault('invalid-request', `Invalid value for '${param}': ${problem?.text}.`, { param })
}
