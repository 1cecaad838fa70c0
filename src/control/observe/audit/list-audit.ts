import { z } from 'zod'
import type { AuditRow, AuditTable } from '../../../port/tables/audit/port.ts'
import type { AuditView } from '../../api.ts'
import type { Answer } from '../../http/answer.ts'
import { readQuery, timeSchema, topSchema } from '../../http/read-query.ts'

const words = z.string().min(1).max(512)
const querySchema = z.strictObject({
  from: timeSchema.optional(),
  to: timeSchema.optional(),
  actor: words.optional(),
  action: words.optional(),
  target: words.optional(),
  top: topSchema,
  after: z
    .string()
    .regex(/^\d{1,16}-\w{1,64}$/, 'the "after" of a nextLink')
    .optional(),
})

/** A page of what was changed, the newest first. */
export async function listAudit(audit: AuditTable, request: Request): Promise<Answer> {
  const url = new URL(request.url)
  const { from, to, top, after, ...query } = readQuery(querySchema, url)
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
