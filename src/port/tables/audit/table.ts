import { type Kysely, type Selectable, sql } from 'kysely'
import type { Json } from '../../../core/json.ts'
import type { Schema } from '../schema.ts'
import type { AuditRow, AuditTable } from './port.ts'

export type AuditSchema = {
  audit: {
    id: string
    at: number
    actor_kind: string
    actor_id: string
    actor_name: string
    address: string
    action: string
    target: string
    status: number
    code: string | null
    before: string | null
    after: string | null
    request_id: string
  }
}

/** Runs a statement; the adapter turns its database's failures into Faults. */
type Attempt = <T>(statement: Promise<T>) => Promise<T>

/** In SQL that SQLite and PostgreSQL share. */
export function createAuditTable(db: Kysely<Schema>, attempt: Attempt): AuditTable {
  return {
    async append(row) {
      const { actorKind, actorId, actorName, requestId, code, before, after, ...rest } = row
      const values = {
        ...rest,
        actor_kind: actorKind,
        actor_id: actorId,
        actor_name: actorName,
        code: code ?? null,
        before: before === undefined ? null : JSON.stringify(before),
        after: after === undefined ? null : JSON.stringify(after),
        request_id: requestId,
      }
      await attempt(db.insertInto('audit').values(values).execute())
    },
    async list({ from, to, actor, action, target, after, limit }) {
      let query = db.selectFrom('audit').selectAll()
      if (from !== undefined) query = query.where('at', '>=', from)
      if (to !== undefined) query = query.where('at', '<', to)
      if (actor !== undefined) {
        query = query.where((is) => is.or([is('actor_id', '=', actor), is('actor_name', '=', actor)]))
      }
      if (action !== undefined) query = query.where(beginsWith('action', action))
      if (target !== undefined) query = query.where(beginsWith('target', target))
      if (after) {
        const { at, id } = after
        query = query.where((is) => is.or([is('at', '<', at), is.and([is('at', '=', at), is('id', '<', id)])]))
      }
      const rows = await attempt(query.orderBy('at', 'desc').orderBy('id', 'desc').limit(limit).execute())
      return rows.map(readRow)
    },
  }
}

/** Not with LIKE: `%` and `_` are no signs here, and SQLite's knows the case of ASCII only as PostgreSQL's does not. */
function beginsWith(column: 'action' | 'target', start: string) {
  return sql<boolean>`lower(substr(${sql.ref(column)}, 1, ${sql.lit(start.length)})) = ${start.toLowerCase()}`
}

function readRow(row: Selectable<AuditSchema['audit']>): AuditRow {
  const read = (text: string | null) => (text === null ? undefined : (JSON.parse(text) as Json))
  return {
    id: row.id,
    // PostgreSQL's driver gives bigint as text.
    at: Number(row.at),
    actorKind: row.actor_kind,
    actorId: row.actor_id,
    actorName: row.actor_name,
    address: row.address,
    action: row.action,
    target: row.target,
    status: row.status,
    code: row.code ?? undefined,
    before: read(row.before),
    after: read(row.after),
    requestId: row.request_id,
  }
}
