import { z } from 'zod'
import { parseDocument } from '../../core/text/parse-document.ts'
import { refuseDocument } from './errors.ts'

/** A point in time: a day, which begins at midnight UTC, or a time with its zone. */
export const timeSchema = z
  .string()
  .refine(
    (text) => /^\d{4}-\d{2}-\d{2}(T.*(Z|[+-]\d{2}:\d{2}))?$/.test(text) && !Number.isNaN(Date.parse(text)),
    'a time in ISO 8601, such as 2026-11-01 or 2026-11-01T12:00:00Z',
  )

/** How many of a list there are on a page, as text. */
export const topSchema = z
  .string()
  .regex(/^([1-9]\d{0,2}|1000)$/, 'a whole number from 1 to 1000')
  .default('100')

/**
 * What the query of a URL says. `lists`: parameters that may come several times, or with commas in between. Throws Fault `invalid-request`
 * naming what is wrong with it.
 */
export function readQuery<Schema extends z.ZodType>(
  schema: Schema,
  { searchParams }: URL,
  lists: readonly string[] = [],
): z.output<Schema> {
  const given = [...new Set(searchParams.keys())].map((name) => {
    const values = searchParams.getAll(name)
    if (lists.includes(name)) return [name, values.flatMap((value) => value.split(',')).filter(Boolean)] as const
    // Of anything else that comes twice none is silently left out: a list is refused.
    return [name, values.length === 1 ? values[0] : values] as const
  })
  const parsed = parseDocument(schema, Object.fromEntries(given))
  if ('problems' in parsed) throw refuseDocument(parsed.problems)
  return parsed.data
}
