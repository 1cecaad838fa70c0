import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { checkFiles, findOrphans } from '../support/batches/check-files.ts'
import { hasEnded, waitForBatch } from '../support/batches/client.ts'
import { takeDatabaseAway } from '../support/batches/outage.ts'
import { type Stores, startStores } from '../support/batches/stores.ts'
import { startUnevenUpstream, type UnevenUpstream } from '../support/batches/upstream.ts'
import { type BatchWorld, createBatchWorld } from '../support/batches/world.ts'
import { withPostgres } from '../support/postgres-server.ts'
import { withS3Server } from '../support/s3-server.ts'
import { makeTempFolder, removeFolder, runCommand, type ServerProcess, startServer } from '../support/server-process.ts'

/** Servers on PostgreSQL: what one changes holds on the others, what one leaves the others finish, and what happens while it is away. */

const lineBytes = 500
const limitMs = 200_000

let upstream: UnevenUpstream
const opened: { remove(): Promise<void> }[] = []

beforeAll(async () => {
  upstream = await startUnevenUpstream()
})
afterAll(async () => {
  for (const one of opened.toReversed()) await one.remove()
  await upstream?.stop()
}, 60_000)

async function openStores(hasS3: boolean): Promise<Stores> {
  const stores = await startStores({ hasS3 })
  opened.push({ remove: stores.stop })
  return stores
}

async function openWorld(stores: Stores, servers = 1): Promise<BatchWorld> {
  const world = await createBatchWorld(upstream, { ...stores.placeOf('test'), servers })
  opened.push(world)
  return world
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const endAt = Date.now() + 60_000
  while (!(await isSo())) {
    if (Date.now() > endAt) throw new Error('it did not come to that within a minute')
    await Bun.sleep(20)
  }
}

async function call({ httpUrl }: ServerProcess, key: string, model = 'work'): Promise<number> {
  const response = await fetch(`${httpUrl}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'api-key': key },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'calm-1 hello' }] }),
  })
  await response.arrayBuffer()
  return response.status
}

async function manage({ dataFolder, httpUrl }: ServerProcess, method: string, path: string, body?: object) {
  const credential = readFileSync(join(dataFolder, 'management.key'), 'utf8').trim()
  const response = await fetch(`${httpUrl}/management/${path}`, {
    method,
    headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return (await response.json()) as Record<string, string> & { readonly model: { readonly name: string } }
}

withPostgres('servers on postgres', () => {
  test.concurrent(
    'what is changed on one holds on the other, also after the database was away',
    async () => {
      const stores = await openStores(false)
      const [a, b] = (await openWorld(stores, 2)).servers() as [ServerProcess, ServerProcess]
      const { secret = '' } = await manage(a, 'PUT', 'named-keys/ci', {})
      await until(async () => (await call(b, secret)) === 200)
      await manage(a, 'POST', 'named-keys/ci/revoke')
      await until(async () => (await call(b, secret)) === 401)

      const regenerated = await manage(b, 'POST', 'keys/key1/regenerate')
      await until(async () => (await call(a, regenerated.value ?? '')) === 200)
      expect(await call(a, a.key)).toBe(401)

      const backends = [{ url: `${upstream.url}/v1` }]
      const deployment = { model: { name: 'm' }, raiPolicyName: 'Microsoft.Nil', backends }
      await manage(a, 'PUT', 'deployments/second', deployment)
      await until(async () => (await call(b, regenerated.value ?? '', 'second')) === 200)
      // Each changes what the other one made, though neither has been started since.
      await manage(b, 'PUT', 'deployments/second', { ...deployment, model: { name: 'n' } })
      await until(async () => (await manage(a, 'GET', 'deployments/second')).model.name === 'n')
      await manage(a, 'PUT', 'deployments/second', { ...deployment, model: { name: 'o' } })

      await stores.postgres.kill()
      expect(await call(b, regenerated.value ?? '')).toBe(200)
      await stores.postgres.restart()
      await until(() => manage(a, 'GET', 'named-keys').then(Boolean, () => false))
      const later = await manage(a, 'PUT', 'named-keys/later', {})
      await until(async () => (await call(b, later.secret ?? '')) === 200)
    },
    limitMs,
  )

  test.concurrent(
    'the database away while a batch runs: no line is lost or doubled, callers go on, and files and batches say so',
    async () => {
      const stores = await openStores(false)
      const world = await openWorld(stores)
      const shape = { prefix: 'away', lines: 4_000 }
      const outage = await takeDatabaseAway(world, stores.postgres, { ...shape, lineBytes, seconds: 4 })
      const ended = await world.client.get(outage.batchId)
      expect(ended.status).toBe('completed')
      expect((await checkFiles(world.client, ended, shape)).wrong).toEqual([])
      expect(await findOrphans(world.client, [outage.inputId], [ended])).toEqual([])
      expect(outage.completedBefore).toBeLessThan(shape.lines / 2)
      expect(outage.live.failures).toEqual([])
      expect(outage.live.calls).toBeGreaterThan(10)
      expect(outage.told).toHaveLength(9)
      for (const told of outage.told) {
        expect(told).toMatch(/^503 .*: \{"error":\{"code":"serviceUnavailable","message":"The database cannot be used/)
        expect(told).not.toContain('127.0.0.1')
      }
    },
    limitMs,
  )

  test.concurrent(
    'a database that is away at the start is waited for; when that was in vain the launcher may try again',
    async () => {
      const stores = await openStores(false)
      const dataFolder = makeTempFolder()
      const { env } = stores.placeOf('test')
      await stores.postgres.kill()
      const up = ['--data', dataFolder, 'up', '--port', '0', '--http-port', '0', '--json', '--database-wait', '1']
      const { code, stderr } = await runCommand(up, { ...env, PATH: process.env.PATH ?? '' })
      expect(code).toBe(75)
      expect(stderr).toContain('nothing listens at its address. It is waited for.')
      expect(stderr).toEndWith('error: The database cannot be used at the moment: nothing listens at its address.\n')
      const starting = startServer({ dataFolder, env })
      await Bun.sleep(1_000)
      await stores.postgres.restart()
      const server = await starting
      await server.stop('SIGKILL')
      removeFolder(dataFolder)
    },
    limitMs,
  )

  withS3Server('servers on postgres and S3', () => {
    /** The process that has the job of the batch. */
    async function findHolder({ postgres }: Stores, id: string): Promise<number> {
      const client = new Client(postgres.url())
      await client.connect()
      try {
        const { rows } = await client.query('select owner from test.job where id = $1', [id])
        return Number(/\/(\d+)#/.exec(rows[0]?.owner ?? '')?.[1])
      } finally {
        await client.end()
      }
    }

    // The other one waits for the end of the lease, which is a minute.
    test.concurrent(
      'the server that runs a batch is killed for good: the other one finishes it, every line once',
      async () => {
        const stores = await openStores(true)
        const world = await openWorld(stores, 2)
        const shape = { prefix: 'takeover', lines: 4_000 }
        const { batch, inputId } = await world.submit({ ...shape, lineBytes })
        await waitForBatch(world.client, batch.id, ({ request_counts: counts }) => counts.completed > 500)
        await world.kill(await findHolder(stores, batch.id))
        expect(world.servers()).toHaveLength(1)
        const left = await world.client.get(batch.id)
        expect(left).toMatchObject({ status: 'in_progress' })
        const ended = await waitForBatch(world.client, batch.id, hasEnded)
        expect(ended.status).toBe('completed')
        expect((await checkFiles(world.client, ended, shape)).wrong).toEqual([])
        expect(await findOrphans(world.client, [inputId], [ended])).toEqual([])
      },
      limitMs,
    )
  })
})
