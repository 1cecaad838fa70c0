import { existsSync, readFileSync } from 'node:fs'
import type { Check, StoreSettings } from '../../cli/context.ts'
import { openBuiltins } from '../../engine/builtins.ts'
import type { BlobStore } from '../../port/blobs/read-blob-store.ts'
import { openSqliteTables } from '../../port/tables/adapters/sqlite/open-sqlite-tables.ts'
import { migrations } from '../../port/tables/migrations/index.ts'
import type { DataFolder } from '../folder/data-folder.ts'
import { openBlobs, reasonOf, tryBlobs } from './open-blobs.ts'

/** Checks of `ponto doctor` that need the server's own parts: what a server would find that is started with these settings. */

export type ProbeOptions = StoreSettings & {
  readonly folder: DataFolder
  readSecret(name: string): string | undefined
}

const redisLimitMs = 3_000

export async function probeDatabase({ folder, caFile, readSecret }: ProbeOptions): Promise<Check> {
  const name = 'database'
  const url = readSecret('PONTO_SECRET_POSTGRES_URL')
  if (url === undefined) return probeSqlite(folder.database)
  const { createPostgresProbe } = await import('../../port/tables/adapters/postgres/probe.ts')
  const { place, ask } = createPostgresProbe(url, caFile === undefined ? undefined : readFileSync(caFile, 'utf8'))
  try {
    const { version, schemaVersion } = await ask()
    return { name, ...judgeSchema(schemaVersion, `PostgreSQL ${version} at ${place}`) }
  } catch (error) {
    const fix = 'Start it, or correct PONTO_SECRET_POSTGRES_URL; a server waits for it, see --database-wait'
    return { name, level: 'fail', detail: `PostgreSQL at ${place}: ${reasonOf(error)}`, fix }
  }
}

function judgeSchema(version: number | undefined, where: string): Omit<Check, 'name'> {
  if (version === undefined) return { level: 'ok', detail: `${where}; the first start makes its tables` }
  if (version === migrations.length) return { level: 'ok', detail: `${where}; schema is current` }
  if (version < migrations.length) {
    const detail = `${where}; schema is of version ${version}, and the next start brings it to ${migrations.length}`
    return { level: 'warn', detail, fix: 'pg_dump first: there is no automatic backup' }
  }
  const detail = `${where}; schema is of version ${version}, and this Ponto knows ${migrations.length}`
  return { level: 'fail', detail, fix: 'Start the newer Ponto that wrote it' }
}

async function probeSqlite(file: string): Promise<Check> {
  const name = 'database'
  if (!existsSync(file)) return { name, level: 'ok', detail: 'SQLite; there is none yet, the first start makes it' }
  const tables = await openSqliteTables(file)
  const deployments = await tables.listDeployments()
  await tables.close()
  return { name, level: 'ok', detail: `SQLite, schema is current, ${deployments.length} stored deployments` }
}

export async function probeFiles({ folder, blobs: store, readSecret }: ProbeOptions): Promise<Check> {
  const name = 'files'
  const { readBlobStore } = await import('../../port/blobs/read-blob-store.ts')
  const place = describeBlobs(readBlobStore(store, '--blobs'), folder)
  if (store === 'disk') return { name, level: 'ok', detail: place }
  const blobs = await openBlobs({ store, folder: folder.blobs, readSecret })
  try {
    await tryBlobs(blobs)
    return { name, level: 'ok', detail: `${place} answers` }
  } catch (error) {
    const fix = 'Correct --blobs (env PONTO_BLOBS), its secrets, or the rights of the user they belong to'
    return { name, level: 'fail', detail: `${place}: ${reasonOf(error)}`, fix }
  } finally {
    await blobs.close()
  }
}

function describeBlobs(store: BlobStore, folder: DataFolder): string {
  if (store.kind === 'disk') return `on disk in ${folder.blobs}`
  const prefix = store.prefix === undefined ? '' : `/${store.prefix}`
  if (store.kind === 'azure') return `Azure Blob container ${store.container}${prefix}`
  return `S3 bucket ${store.bucket}${prefix} ${store.endpoint === undefined ? `in ${store.region}` : `at ${store.endpoint}`}`
}

export async function probeCounters({ readSecret }: ProbeOptions): Promise<Check> {
  const name = 'counters'
  const url = readSecret('PONTO_SECRET_REDIS_URL')
  if (url === undefined) return { name, level: 'ok', detail: 'in memory, of this server alone' }
  const { openStoreLink } = await import('../../port/counters/redis/store-link.ts')
  const ready = Promise.withResolvers<boolean>()
  const link = openStoreLink({ url, onReady: () => ready.resolve(true), onLost: () => ready.resolve(false) })
  const timer = setTimeout(() => ready.resolve(false), redisLimitMs)
  try {
    const { host } = new URL(url)
    if (await ready.promise) return { name, level: 'ok', detail: `Redis at ${host} answers` }
    const detail = `Redis at ${host}: ${link.lastError() ?? 'it does not answer'}`
    const fix =
      'Start it, or correct PONTO_SECRET_REDIS_URL; until then each server goes on with its share of the limits'
    return { name, level: 'fail', detail, fix }
  } finally {
    clearTimeout(timer)
    link.close()
  }
}

export async function probeEngine(folder: string, environment: Readonly<Record<string, string>>): Promise<Check> {
  const name = 'engine'
  const builtins = openBuiltins(folder, environment, () => {})
  const [model] = builtins.models
  const engine = model && builtins.find(model.name)?.current()
  if (!model || !engine) return { name, level: 'warn', detail: 'no built-in model is shipped' }
  try {
    await engine.ready()
    return { name, level: 'ok', detail: `${model.name} loads` }
  } finally {
    await builtins.stop()
  }
}
