import type { z } from 'zod'
import { describeIssues } from '../core/describe-issue.ts'
import { Fault } from '../core/fault.ts'
import type { JsonObject } from '../core/json.ts'

/** The body judged by `schema`. Throws Fault `invalid-request` naming the first field at fault, what was given and what is allowed. */
export function readBody<T extends z.ZodType>(schema: T, body: JsonObject): z.output<T> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const [problem] = describeIssues(parsed.error.issues, body)
  const field = problem?.field ?? ''
  throw new Fault('invalid-request', `Invalid value for '${field}': ${problem?.text ?? 'not understood'}.`, {
    param: field || undefined,
  })
}
