import { type Insertable, type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import type { Schema } from '../schema.ts'
import type { FileRow, FilesTable, PageOf, UploadPartRow, UploadRow } from './port.ts'

export type FileSchema = {
  file: {
    id: string
    owner: string
    filename: string
    purpose: string
    bytes: number
    status: FileRow['status']
    status_details: string | null
    created_at: number
    expires_at: number | null
  }
  upload: {
    id: string
    owner: string
    filename: string
    purpose: string
    bytes: number
    mime_type: string
    status: UploadRow['status']
    file_id: string | null
    created_at: number
    expires_at: number
    file_lasts_ms: number | null
  }
  upload_part: { upload_id: string; id: string; bytes: number; created_at: number }
}

/** Runs a statement; the adapter turns its database's failures into Faults. */
type Attempt = <T>(statement: Promise<T>) => Promise<T>
type Executor = Kysely<Schema> | Transaction<Schema>

/** In SQL that SQLite and PostgreSQL share. */
export function createFilesTable(db: Kysely<Schema>, attempt: Attempt): FilesTable {
  return {
    async add(file) {
      await attempt(addFile(db, file))
    },

    async get(id) {
      const row = await attempt(db.selectFrom('file').selectAll().where('id', '=', id).executeTakeFirst())
      return row && readFile(row)
    },

    async list({ owner, purpose, now }, page) {
      let query = db
        .selectFrom('file')
        .selectAll()
        .where('status', '!=', 'deleting')
        .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
        .orderBy('id', page.order)
        .limit(page.limit + 1)
      if (owner !== undefined) query = query.where('owner', '=', owner)
      if (purpose !== undefined) query = query.where('purpose', '=', purpose)
      if (page.after !== undefined) query = query.where('id', isBeyond(page), page.after)
      return (await attempt(query.execute())).map(readFile)
    },

    async update(id, { status, statusDetails, bytes, expiresAt }) {
      // Kysely leaves out what is undefined; the id makes it a statement also where nothing is given.
      const change = { id, status, status_details: statusDetails, bytes, expires_at: expiresAt }
      const query = db.updateTable('file').set(change).where('id', '=', id)
      return (await attempt(query.executeTakeFirst())).numUpdatedRows > 0n
    },

    async delete(id) {
      const query = db.deleteFrom('file').where('id', '=', id)
      return (await attempt(query.executeTakeFirst())).numDeletedRows > 0n
    },

    async sum(owner, purposes) {
      const query = db
        .selectFrom('file')
        .select(({ fn }) => [
          fn.countAll().as('files'),
          fn.count('expires_at').as('expiring'),
          fn.sum('bytes').as('bytes'),
        ])
        .where('owner', '=', owner)
        .where('purpose', 'in', purposes)
      const { files, expiring, bytes } = await attempt(query.executeTakeFirstOrThrow())
      return { lasting: Number(files) - Number(expiring), expiring: Number(expiring), bytes: Number(bytes ?? 0) }
    },

    async listRemovable(now, limit, after = '') {
      const query = db
        .selectFrom('file')
        .selectAll()
        .where((eb) => eb.or([eb('expires_at', '<=', now), eb('status', '=', 'deleting')]))
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
      return (await attempt(query.execute())).map(readFile)
    },

    async addUpload(upload) {
      const row: Insertable<Schema['upload']> = {
        id: upload.id,
        owner: upload.owner,
        filename: upload.filename,
        purpose: upload.purpose,
        bytes: upload.bytes,
        mime_type: upload.mimeType,
        status: upload.status,
        file_id: upload.fileId ?? null,
        created_at: upload.createdAt,
        expires_at: upload.expiresAt,
        file_lasts_ms: upload.fileLastsMs ?? null,
      }
      await attempt(db.insertInto('upload').values(row).execute())
    },

    async getUpload(id) {
      const row = await attempt(db.selectFrom('upload').selectAll().where('id', '=', id).executeTakeFirst())
      return row && readUpload(row)
    },

    endUpload: (id, status) => attempt(endUpload(db, id, { status })),

    completeUpload: (id, file) =>
      attempt(
        db.transaction().execute(async (transaction) => {
          if (!(await endUpload(transaction, id, { status: 'completed', file_id: file.id }))) return false
          await addFile(transaction, file)
          return true
        }),
      ),

    async sumAll() {
      const query = db
        .selectFrom('file')
        .select(({ fn }) => [fn.countAll().as('files'), fn.sum('bytes').as('bytes')])
        .where('status', '!=', 'deleting')
      const { files, bytes } = await attempt(query.executeTakeFirstOrThrow())
      return { files: Number(files), bytes: Number(bytes ?? 0) }
    },

    async sumUploads(owner, now) {
      const query = db
        .selectFrom('upload')
        .select(({ fn }) => [fn.countAll().as('uploads'), fn.sum('bytes').as('bytes')])
        .where('owner', '=', owner)
        .where('status', '=', 'pending')
        .where('expires_at', '>', now)
      const { uploads, bytes } = await attempt(query.executeTakeFirstOrThrow())
      return { uploads: Number(uploads), bytes: Number(bytes ?? 0) }
    },

    async listExpiredUploads(now, limit, after = '') {
      const query = db
        .selectFrom('upload')
        .selectAll()
        .where('expires_at', '<=', now)
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
      return (await attempt(query.execute())).map(readUpload)
    },

    async addPart({ id, uploadId, bytes, createdAt }) {
      // One statement, so that looking and writing cannot be parted.
      const query = db
        .insertInto('upload_part')
        .columns(['upload_id', 'id', 'bytes', 'created_at'])
        .expression(
          db
            .selectFrom('upload')
            .select([
              'id as upload_id',
              sql<string>`cast(${id} as text)`.as('id'),
              sql<number>`cast(${bytes} as bigint)`.as('bytes'),
              sql<number>`cast(${createdAt} as bigint)`.as('created_at'),
            ])
            .where('id', '=', uploadId)
            .where('status', '=', 'pending'),
        )
      const { numInsertedOrUpdatedRows = 0n } = await attempt(query.executeTakeFirst())
      return numInsertedOrUpdatedRows > 0n
    },

    async listParts(uploadId) {
      const query = db.selectFrom('upload_part').selectAll().where('upload_id', '=', uploadId).orderBy('id')
      return (await attempt(query.execute())).map(readPart)
    },

    async sumParts(uploadId) {
      const query = db
        .selectFrom('upload_part')
        .select(({ fn }) => [fn.countAll().as('parts'), fn.sum('bytes').as('bytes')])
        .where('upload_id', '=', uploadId)
      const { parts, bytes } = await attempt(query.executeTakeFirstOrThrow())
      return { parts: Number(parts), bytes: Number(bytes ?? 0) }
    },

    async deleteUpload(id) {
      // Its parts go with it.
      await attempt(db.deleteFrom('upload').where('id', '=', id).execute())
    },
  }
}

function isBeyond({ order }: PageOf): '>' | '<' {
  return order === 'asc' ? '>' : '<'
}

async function addFile(db: Executor, file: FileRow): Promise<void> {
  const change = {
    owner: file.owner,
    filename: file.filename,
    purpose: file.purpose,
    bytes: file.bytes,
    status: file.status,
    status_details: file.statusDetails ?? null,
    created_at: file.createdAt,
    expires_at: file.expiresAt ?? null,
  }
  await db
    .insertInto('file')
    .values({ id: file.id, ...change })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(change))
    .execute()
}

async function endUpload(
  db: Executor,
  id: string,
  change: { readonly status: UploadRow['status']; readonly file_id?: string },
): Promise<boolean> {
  const query = db.updateTable('upload').set(change).where('id', '=', id).where('status', '=', 'pending')
  return (await query.executeTakeFirst()).numUpdatedRows > 0n
}

/** Times and sizes come as text from a database whose numbers are larger than ours. */
function readFile(row: Selectable<Schema['file']>): FileRow {
  return {
    id: row.id,
    owner: row.owner,
    filename: row.filename,
    purpose: row.purpose,
    bytes: Number(row.bytes),
    status: row.status,
    ...(row.status_details !== null && { statusDetails: row.status_details }),
    createdAt: Number(row.created_at),
    ...(row.expires_at !== null && { expiresAt: Number(row.expires_at) }),
  }
}

function readUpload(row: Selectable<Schema['upload']>): UploadRow {
  return {
    id: row.id,
    owner: row.owner,
    filename: row.filename,
    purpose: row.purpose,
    bytes: Number(row.bytes),
    mimeType: row.mime_type,
    status: row.status,
    ...(row.file_id !== null && { fileId: row.file_id }),
    createdAt: Number(row.created_at),
    expiresAt: Number(row.expires_at),
    ...(row.file_lasts_ms !== null && { fileLastsMs: Number(row.file_lasts_ms) }),
  }
}

function readPart(row: Selectable<Schema['upload_part']>): UploadPartRow {
  return { id: row.id, uploadId: row.upload_id, bytes: Number(row.bytes), createdAt: Number(row.created_at) }
}
