import { z } from 'zod'
import { parseDocument } from '../../../core/text/parse-document.ts'
import type { AuditRow, AuditTable } from '../../../port/tables/audit/port.ts'
import type { AuditView } from '../../api.ts'
import type { Answer } from '../../http/answer.ts'
import { refuseDocument } from '../../http/errors.ts'

const time = z
  .string()
  .refine(
    (text) => /^\d{4}-\d{2}-\d{2}(T.*(Z|[+-]\d{2}:\d{2}))?$/.test(text) && !Number.isNaN(Date.parse(text)),
    'a time in ISO 8601, such as 2026-11-01 or 2026-11-01T12:00:00Z',
  )
const words = z.string().min(1).max(512)
const querySchema = z.strictObject({
  from: time.optional(),
  to: time.optional(),
  actor: words.optional(),
  action: words.optional(),
  target: words.optional(),
  top: z
    .string()
    .regex(/^([1-9]\d{0,2}|1000)$/, 'a whole number from 1 to 1000')
    .default('100'),
  after: z
    .string()
    .regex(/^\d{1,16}-\w{1,64}$/, 'the "after" of a nextLink')
    .optional(),
})

/** A page of what was changed, the newest first. */
export async function listAudit(audit: AuditTable, request: Request): Promise<Answer> {
  const url = new URL(request.url)
  const given = [...new Set(url.searchParams.keys())].map((name) => {
    const values = url.searchParams.getAll(name)
    return [name, values.length === 1 ? values[0] : values] as const
  })
  const parsed = parseDocument(querySchema, Object.fromEntries(given))
  if ('problems' in parsed) throw refuseDocument(parsed.problems)
  const { from, to, top, after, ...query } = parsed.data
  const limit = Number(top)
  const rows = await audit.list({
    ...query,
    from: from === undefined ? undefined : Date.parse(from),
    to: to === undefined ? undefined : Date.parse(to),
    after: readCursor(after),
    limit: limit + 1,
  })
  const value = rows.slice(0, limit)
  const last = value.at(-1)
  if (rows.length <= limit || !last) return { status: 200, body: { value: value.map(viewRow) } }
  url.searchParams.set('after', `${last.at}-${last.id}`)
  return { status: 200, body: { value: value.map(viewRow), nextLink: url.pathname + url.search } }
}

function readCursor(text: string | undefined): Pick<AuditRow, 'at' | 'id'> | undefined {
  if (text === undefined) return undefined
  const cut = text.indexOf('-')
  return { at: Number(text.slice(0, cut)), id: text.slice(cut + 1) }
}

function viewRow({ at, actorKind, actorId, actorName, code, before, after, ...row }: AuditRow): AuditView {
  return {
    ...row,
    at: new Date(at).toISOString(),
    actor: { kind: actorKind, id: actorId, name: actorName },
    ...(code !== undefined && { code }),
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
  }
}
