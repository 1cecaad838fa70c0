import type { Kysely, Selectable } from 'kysely'
import { Fault } from '../../../../core/fault.ts'
import { isJsonObject, type JsonObject } from '../../../../core/json.ts'
import { randomId } from '../../../../core/text/id.ts'
import type { Schema } from '../../schema.ts'
import type { IdentityTable, ServicePrincipalRow } from './port.ts'

export type IdentitySchema = {
  service_principal: {
    /** The name in lower case: what it is found by. */
    key: string
    name: string
    app_id: string
    object_id: string
    digest: string
    ends_at: number | null
    previous_digest: string | null
    previous_ends_at: number | null
    etag: string
    created_at: number
    updated_at: number
  }
  role_assignment: {
    id: string
    principal: string
    kind: 'principal' | 'group'
    issuer: string
    role: string
    scope: string
    created_at: number
  }
  signing_key: { kid: string; sealed: string; public_key: string; created_at: number }
  seen_principal: { owner: string; claims: string; seen_at: number }
  identity_fact: { name: string; value: string }
}

/** Runs a statement; the adapter turns its database's failures into Faults. */
type Attempt = <T>(statement: Promise<T>) => Promise<T>

/** In SQL that SQLite and PostgreSQL share. */
export function createIdentityTable(db: Kysely<Schema>, attempt: Attempt): IdentityTable {
  return {
    async listPrincipals() {
      const rows = await attempt(db.selectFrom('service_principal').selectAll().orderBy('key').execute())
      return rows.map(readPrincipal)
    },
    async getPrincipal(name) {
      const query = db.selectFrom('service_principal').selectAll().where('key', '=', name.toLowerCase())
      const row = await attempt(query.executeTakeFirst())
      return row && readPrincipal(row)
    },
    async putPrincipal(row, expectedEtag) {
      const key = row.name.toLowerCase()
      const change = {
        digest: row.digest,
        ends_at: row.endsAt ?? null,
        previous_digest: row.previous?.digest ?? null,
        previous_ends_at: row.previous?.endsAt ?? null,
        etag: randomId(20),
        updated_at: row.updatedAt,
      }
      const made = { key, name: row.name, app_id: row.appId, object_id: row.objectId, created_at: row.createdAt }
      // One statement each, so that comparing and writing cannot be parted.
      const query =
        expectedEtag === null
          ? db
              .insertInto('service_principal')
              .values({ ...made, ...change })
              .onConflict((conflict) => conflict.column('key').doNothing())
              .returningAll()
          : db
              .updateTable('service_principal')
              .set(change)
              .where('key', '=', key)
              .where('etag', '=', expectedEtag)
              .returningAll()
      const stored = await attempt<Selectable<IdentitySchema['service_principal']> | undefined>(
        query.executeTakeFirst(),
      )
      return stored && readPrincipal(stored)
    },
    async deletePrincipal(name, expectedEtag) {
      const query = db
        .deleteFrom('service_principal')
        .where('key', '=', name.toLowerCase())
        .where('etag', '=', expectedEtag)
      return (await attempt(query.executeTakeFirstOrThrow())).numDeletedRows > 0n
    },

    async listAssignments() {
      const query = db.selectFrom('role_assignment').selectAll().orderBy('created_at').orderBy('id')
      const rows = await attempt(query.execute())
      return rows.map(({ scope, created_at, ...row }) => ({
        ...row,
        scope: readDocument(scope, `The role assignment ${row.id}`),
        createdAt: Number(created_at),
      }))
    },
    async putAssignment({ id, createdAt, scope, ...row }) {
      const fields = { ...row, scope: JSON.stringify(scope), created_at: createdAt }
      const insert = db.insertInto('role_assignment').values({ id, ...fields })
      await attempt(insert.onConflict((conflict) => conflict.column('id').doUpdateSet(fields)).execute())
    },
    async deleteAssignment(id) {
      const query = db.deleteFrom('role_assignment').where('id', '=', id)
      return (await attempt(query.executeTakeFirstOrThrow())).numDeletedRows > 0n
    },

    async listSigningKeys() {
      const query = db.selectFrom('signing_key').selectAll().orderBy('created_at', 'desc').orderBy('kid')
      const rows = await attempt(query.execute())
      return rows.map(({ kid, sealed, public_key, created_at }) => ({
        kid,
        sealed,
        publicKey: readDocument(public_key, `The signing key ${kid}`),
        createdAt: Number(created_at),
      }))
    },
    async addSigningKey({ kid, sealed, publicKey, createdAt }) {
      const row = { kid, sealed, public_key: JSON.stringify(publicKey), created_at: createdAt }
      await attempt(db.insertInto('signing_key').values(row).execute())
    },
    async deleteSigningKeys(before) {
      await attempt(db.deleteFrom('signing_key').where('created_at', '<', before).execute())
    },

    async listSeen() {
      const rows = await attempt(db.selectFrom('seen_principal').selectAll().orderBy('owner').execute())
      return rows.map(({ owner, claims, seen_at }) => ({
        owner,
        claims: readDocument(claims, `What is known of ${owner}`),
        seenAt: Number(seen_at),
      }))
    },
    async putSeen({ owner, claims, seenAt }) {
      const fields = { claims: JSON.stringify(claims), seen_at: seenAt }
      const insert = db.insertInto('seen_principal').values({ owner, ...fields })
      await attempt(insert.onConflict((conflict) => conflict.column('owner').doUpdateSet(fields)).execute())
    },
    async deleteSeen(before) {
      await attempt(db.deleteFrom('seen_principal').where('seen_at', '<', before).execute())
    },

    async settle(name, value) {
      const insert = db.insertInto('identity_fact').values({ name, value })
      await attempt(insert.onConflict((conflict) => conflict.column('name').doNothing()).execute())
      const query = db.selectFrom('identity_fact').select('value').where('name', '=', name)
      return (await attempt(query.executeTakeFirstOrThrow())).value
    },
  }
}

/** Times come as text from a database whose numbers are larger than ours. */
function readPrincipal(row: Selectable<IdentitySchema['service_principal']>): ServicePrincipalRow {
  return {
    name: row.name,
    appId: row.app_id,
    objectId: row.object_id,
    digest: row.digest,
    endsAt: row.ends_at === null ? undefined : Number(row.ends_at),
    previous:
      row.previous_digest === null ? undefined : { digest: row.previous_digest, endsAt: Number(row.previous_ends_at) },
    etag: row.etag,
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  }
}

function readDocument(text: string, what: string): JsonObject {
  try {
    const document: unknown = JSON.parse(text)
    if (isJsonObject(document)) return document
  } catch {
    // Falls through to the same Fault as a document of another kind.
  }
  throw new Fault(
    'state-unusable',
    `${what} is not stored as a JSON object. Put a backup of the database in its place.`,
  )
}
