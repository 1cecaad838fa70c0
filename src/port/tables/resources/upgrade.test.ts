import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import { type PostgresServer, startPostgresServer, withPostgres } from '../../../../test/support/postgres-server.ts'
import { openPostgresTables } from '../adapters/postgres/open-postgres-tables.ts'
import { openSqliteTables } from '../adapters/sqlite/open-sqlite-tables.ts'
import { addResources } from '../migrations/0011-resources.ts'
import { type Migration, migrations } from '../migrations/index.ts'
import type { Tables } from '../port.ts'

/** A database as a version of Ponto with one resource left it. */

const before = migrations.slice(0, migrations.indexOf(addResources))

/** What is in each of the tables that change. */
const fill: Migration = async (db: Kysely<unknown>) => {
  for (const statement of [
    `insert into resource (id, name, created_at) values (1, 'Mine', 1790000000123)`,
    `insert into resource_key (name, sealed, created_at) values ('key1', 's1', 1), ('key2', 's2', 2)`,
    `insert into deployment (key, name, document, etag, created_at, updated_at) values ('gpt', 'GPT', '{"a":1}', 'e', 3, 4)`,
    `insert into named_key (key, name, document, digest, previous_digest, previous_ends_at, revoked_at, etag, created_at, updated_at)
     values ('ci', 'CI', '{}', 'd', 'p', 9, null, 'e', 1790000000123, 4)`,
    `insert into filter_document (kind, key, name, document, etag, created_at, updated_at)
     values ('blocklist', 'words', 'Words', '{}', 'e', 3, 4)`,
    `insert into filter_item (list, key, name, pattern, is_regex) values ('words', 'x', 'X', 'pizza', 1)`,
    `insert into usage_hour (hour, deployment, model, key_name, requests, failed, refused, estimated, prompt_tokens,
       cached_tokens, completion_tokens, reasoning_tokens, cost_micros)
     values (10, 'GPT', 'm', 'key1', 1, 0, 0, 0, 1000000000000, 0, 0, 0, 7)`,
  ]) {
    await sql.raw(statement).execute(db)
  }
}

async function expectKept(tables: Tables): Promise<void> {
  expect(await tables.getResource()).toEqual({ name: 'Mine', createdAt: 1_790_000_000_123 })
  expect(await tables.resources.list()).toMatchObject([{ id: '', name: 'Mine', document: {}, deletedAt: undefined }])
  expect(await tables.listKeys()).toMatchObject([{ sealed: 's1' }, { sealed: 's2' }])
  const row = { name: 'GPT', document: { a: 1 }, etag: 'e', createdAt: 3, updatedAt: 4 }
  expect(await tables.listDeployments()).toEqual([row])
  expect(await tables.namedKeys.list()).toMatchObject([
    { name: 'CI', digest: 'd', previous: { digest: 'p', endsAt: 9 }, createdAt: 1_790_000_000_123 },
  ])
  expect(await tables.filters.list('blocklist')).toMatchObject([{ name: 'Words' }])
  expect(await tables.filters.listItems('words')).toEqual([{ name: 'X', pattern: 'pizza', isRegex: true }])
  const read = { fromHour: 0, toHour: 99, resource: '', groupBy: ['keyName'] } as const
  expect(await tables.usage.read(read)).toMatchObject([{ keyName: 'key1', promptTokens: 1e12, costMicros: 7 }])
  // And all of it can be written again.
  expect(await tables.putDeployment('gpt', { b: 2 }, 'e')).toMatchObject({ name: 'GPT', document: { b: 2 } })
  await tables.putKey({ name: 'key1', sealed: 'new', createdAt: 9 })
  expect(await tables.listKeys()).toMatchObject([{ sealed: 'new' }, { sealed: 's2' }])
  expect(await tables.resources.add('a', 'a', {}, 1)).toBeDefined()
}

/** The step that fills it stands where the next one comes: the version counts steps, whatever they did. */
const stepsWith = (fillStep: Migration): Migration[] => [
  ...before.slice(0, -1),
  async (db) => {
    await (before.at(-1) as Migration)(db)
    await fillStep(db)
  },
]

test('sqlite: a database with one resource is brought to several, and nothing is lost', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ponto-upgrade-'))
  const file = join(folder, 'ponto.db')
  await (await openSqliteTables(file, { migrations: stepsWith(fill) })).close()
  const tables = await openSqliteTables(file)
  await expectKept(tables)
  await tables.close()
  rmSync(folder, { recursive: true })
})

withPostgres('postgres', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgresServer()
  }, 60_000)
  afterAll(() => server.stop())

  test('a database with one resource is brought to several, and nothing is lost', async () => {
    const url = server.url({ schema: 'upgrade' })
    // What is done after the steps may be for newer tables and fail; they are done by then.
    const old = await openPostgresTables({ url, migrations: stepsWith(fill) }).catch(() => undefined)
    await old?.close()
    const tables = await openPostgresTables({ url })
    await expectKept(tables)
    await tables.close()
  })
})
