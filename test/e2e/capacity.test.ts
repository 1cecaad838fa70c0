import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FakeUpstream, json, startFakeUpstream } from '../support/fake-upstream.ts'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../support/server-process.ts'

/** Capacity, quota and the life of versions, as the whole server does them. */

let upstream: FakeUpstream
let ponto: ServerProcess
let folder: string
let config: string

const modelsEndingAt = (retiresAt: string) => `
models:
  - { format: Acme, name: acme, version: "2" }
  - format: Acme
    name: acme
    version: "1"
    default: false
    lifecycle: { status: Legacy, retiresAt: ${retiresAt}, replacement: { name: acme, version: "2" } }
deployments:
  - name: moves
    model: { format: Acme, name: acme, version: "1" }
    backends: [{ url: "${upstream.url}/v1", model: "acme-{version}" }]
  - name: stays
    model: { format: Acme, name: acme, version: "1" }
    versionUpgradeOption: NoAutoUpgrade
    backends: [{ url: "${upstream.url}/v1", model: "acme-{version}" }]
`

beforeAll(async () => {
  upstream = await startFakeUpstream()
  upstream.script(
    json({ choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }] }),
  )
  folder = makeTempFolder()
  config = join(folder, 'ponto.yaml')
  writeFileSync(config, modelsEndingAt('2999-01-01'))
  await start()
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
  removeFolder(folder)
})

async function start(): Promise<void> {
  ponto = await startServer({ dataFolder: join(folder, 'data'), args: ['--config', config] })
}

async function call(model: string): Promise<Response> {
  return fetch(`${ponto.httpUrl}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'api-key': ponto.key },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }),
  })
}

const askedModel = () => JSON.parse(upstream.requests.at(-1)?.body ?? '{}').model

function create(name: string, ...flags: string[]) {
  const backend = ['--backend', `${upstream.url}/v1`]
  return ponto.run(['deployment', 'create', name, '--model', 'gpt-4o', ...backend, ...flags])
}

// Comes first: a server that was started again does not know what was used before.
test('capacity limits calls, a pause ends them, and neither needs a restart', async () => {
  const limited = ['--sku', 'GlobalStandard', '--capacity', '1', '--rate-limit', 'request=2/60s']
  expect((await create('small', ...limited)).code).toBe(0)
  const statuses: number[] = []
  // Two a minute: five in a row are of two minutes at most.
  while (statuses.length < 5) statuses.push((await call('small')).status)
  expect(statuses[0]).toBe(200)
  expect(statuses).toContain(429)
  await ponto.run(['deployment', 'update', 'small', '--no-rate-limit', '--capacity', '100'])
  expect((await call('small')).status).toBe(200)
  await ponto.run(['deployment', 'pause', 'small'])
  expect((await call('small')).status).toBe(423)
  await ponto.run(['deployment', 'resume', 'small'])
  expect((await call('small')).status).toBe(200)
  await ponto.run(['deployment', 'delete', 'small'])
}, 30_000)

test('a version that comes to its end is followed by the default one, and by nothing where the operator wants that', async () => {
  const far = await call('moves')
  expect([far.status, askedModel(), far.headers.get('sunset')]).toEqual([200, 'acme-1', null])
  // Far enough ahead to be seen coming, and then waited for: the server's own timer is what is to do it.
  writeFileSync(config, modelsEndingAt(new Date(Date.now() + 2_500).toISOString()))
  const announced = await until(async () => {
    const response = await call('moves')
    return response.headers.get('sunset') === null ? undefined : response
  })
  expect(announced.headers.get('deprecation')).toMatch(/^@\d{10}$/)
  expect(announced.headers.get('x-ms-model-replacement')).toBe('acme 2')

  const moved = await until(async () => {
    const response = await call('moves')
    return askedModel() === 'acme-2' ? response : undefined
  })
  expect([moved.status, moved.headers.get('sunset')]).toEqual([200, null])
  const ended = await call('stays')
  expect(ended.status).toBe(410)
  expect(await ended.text()).toContain('It was replaced by acme, version 2.')

  // A file that names a version which has ended meanwhile still starts a server.
  await ponto.stop()
  await start()
  await call('moves')
  expect(askedModel()).toBe('acme-2')
}, 30_000)

test('a quota is kept, also over a restart, and what is deleted is free at once', async () => {
  expect((await ponto.run(['quota', 'set', 'GlobalStandard.gpt-4o', '100'])).code).toBe(0)
  expect((await create('first', '--sku', 'GlobalStandard', '--capacity', '60')).code).toBe(0)
  await ponto.stop()
  await start()
  const refused = await create('second', '--sku', 'GlobalStandard', '--capacity', '50')
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('current available capacity 40')])
  expect((await ponto.run(['deployment', 'delete', 'first'])).code).toBe(0)
  expect((await create('second', '--sku', 'GlobalStandard', '--capacity', '50')).code).toBe(0)
  const { stdout } = await ponto.run(['quota', 'list', '--output', 'json'])
  expect(JSON.parse(stdout)).toMatchObject([{ limit: 100, used: 50, deployments: [{ name: 'second' }] }])
  await ponto.run(['deployment', 'delete', 'second'])
}, 30_000)

test('a deployment for trying things out is gone a day after it was made', async () => {
  expect((await create('trial', '--sku', 'DeveloperTier')).code).toBe(0)
  expect((await call('trial')).status).not.toBe(404)
  await ponto.stop()
  const database = new Database(join(folder, 'data', 'ponto.db'))
  const { changes } = database.run("update deployment set created_at = created_at - 86400000 where name = 'trial'")
  database.close()
  expect(changes).toBe(1)
  await start()
  await until(async () => ((await call('trial')).status === 404 ? true : undefined))
  expect((await ponto.run(['deployment', 'show', 'trial'])).code).toBe(1)
}, 30_000)

test('batch work has a deployment of its own', async () => {
  await create('batch', '--sku', 'GlobalBatch')
  const response = await call('batch')
  expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('for batch work only')])
}, 30_000)

async function until<T>(find: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 400; i++) {
    const found = await find()
    if (found !== undefined) return found
    await Bun.sleep(25)
  }
  throw new Error('it did not come about')
}
