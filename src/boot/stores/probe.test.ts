import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { startPostgresServer, withPostgres } from '../../../test/support/postgres-server.ts'
import { startRedisServer, withRedisServer } from '../../../test/support/redis-server.ts'
import { startS3Server, withS3Server } from '../../../test/support/s3-server.ts'
import { makeTempFolder, removeFolder } from '../../../test/support/server-process.ts'
import { openPostgresTables } from '../../port/tables/adapters/postgres/open-postgres-tables.ts'
import { locateDataFolder } from '../folder/data-folder.ts'
import { type ProbeOptions, probeCounters, probeDatabase, probeFiles } from './probe.ts'

const folder = locateDataFolder({ given: '/no/such/folder', homeFolder: '/' })
const settings = (secrets: Record<string, string>, blobs = 'disk'): ProbeOptions => ({
  folder,
  blobs,
  readSecret: (name) => secrets[name],
})

test('without settings all is on this machine, and looking makes nothing', async () => {
  const path = makeTempFolder()
  const own = { ...settings({}), folder: locateDataFolder({ given: join(path, 'data'), homeFolder: '/' }) }
  expect((await probeDatabase(own)).detail).toStartWith('SQLite; there is none yet')
  expect(await probeFiles(own)).toMatchObject({ level: 'ok', detail: `on disk in ${own.folder.blobs}` })
  expect(await probeCounters(own)).toMatchObject({ level: 'ok', detail: 'in memory, of this server alone' })
  expect(existsSync(own.folder.path)).toBe(false)
  removeFolder(path)
})

test('settings that are none are refused by name', async () => {
  await expect(probeDatabase(settings({ PONTO_SECRET_POSTGRES_URL: 'mysql://x' }))).rejects.toThrow(
    'is not a PostgreSQL',
  )
  await expect(probeFiles(settings({}, 's3://bucket?region=r'))).rejects.toThrow('PONTO_SECRET_S3_ACCESS_KEY_ID')
})

withPostgres('doctor and postgres', () => {
  test('is told where it is, what its schema is, and when it is away; never the password', async () => {
    const server = await startPostgresServer()
    try {
      const url = server.url()
      const probe = () => probeDatabase(settings({ PONTO_SECRET_POSTGRES_URL: url }))
      const place = `at 127.0.0.1:${server.port}/postgres, schema ponto`
      const fresh = await probe()
      expect(fresh).toMatchObject({ level: 'ok' })
      expect(fresh.detail).toEndWith(`${place}; the first start makes its tables`)
      await (await openPostgresTables({ url })).close()
      expect((await probe()).detail).toEndWith(`${place}; schema is current`)
      await server.kill()
      const away = await probe()
      expect(away).toMatchObject({ level: 'fail' })
      expect(away.detail).toContain('nothing listens at its address')
      expect(JSON.stringify([fresh, away])).not.toContain(server.password)
    } finally {
      await server.stop()
    }
  }, 60_000)
})

withRedisServer('doctor and redis', () => {
  test('is told whether it answers, and never the password', async () => {
    const server = await startRedisServer('--requirepass', 'hush')
    const probe = (user: string) =>
      probeCounters(settings({ PONTO_SECRET_REDIS_URL: server.url.replace('//', `//${user}@`) }))
    try {
      expect(await probe(':hush')).toMatchObject({ level: 'ok' })
      expect(await probe(':wrong')).toMatchObject({ level: 'fail' })
      await server.kill()
      const away = await probe(':hush')
      expect(away).toMatchObject({ level: 'fail' })
      expect(away.detail).not.toContain('hush')
    } finally {
      await server.stop()
    }
  }, 30_000)
})

withS3Server('doctor and S3', () => {
  test('is told whether the bucket answers', async () => {
    const server = await startS3Server()
    const secrets = { PONTO_SECRET_S3_ACCESS_KEY_ID: 'id', PONTO_SECRET_S3_SECRET_ACCESS_KEY: 'hush' }
    const probe = () => probeFiles(settings(secrets, `s3://there/p?endpoint=${server.url}&style=path`))
    try {
      expect(await probe()).toMatchObject({ level: 'fail' })
      await fetch(`${server.url}/there`, { method: 'PUT' })
      expect(await probe()).toMatchObject({ level: 'ok', detail: `S3 bucket there/p at ${server.url} answers` })
    } finally {
      await server.stop()
    }
  }, 60_000)
})
