import { afterAll, beforeAll, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import OpenAI from 'openai'
import { type FakeUpstream, json, startFakeUpstream } from '../support/fake-upstream.ts'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../support/server-process.ts'

/** What an operator sees of webhooks: who is told, and whether they take what they are told. */

const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
let folder: string
let receiver: FakeUpstream
let server: ServerProcess

beforeAll(async () => {
  folder = makeTempFolder()
  receiver = await startFakeUpstream()
  const hook = (name: string, more: object = {}) => ({
    name,
    url: `${receiver.url}/hook?sig=s3cret`,
    secret: { env: 'PONTO_SECRET_HOOK' },
    events: ['batch.completed'],
    ...more,
  })
  const config = join(folder, 'ponto.yaml')
  writeFileSync(config, JSON.stringify({ webhooks: [hook('ops'), hook('ci', { owner: 'ci' })] }))
  server = await startServer({
    dataFolder: join(folder, 'data'),
    args: ['--config', config],
    env: { PONTO_SECRET_HOOK: secret },
  })
})
afterAll(async () => {
  await server?.stop()
  await receiver?.stop()
  removeFolder(folder)
})

test('they are listed, without secrets and paths', async () => {
  const table = await server.run(['webhook', 'list'])
  expect(table.code).toBe(0)
  expect(table.stdout).toMatch(new RegExp(`ops +${receiver.url} +batch\\.completed +all +PONTO_SECRET_HOOK`))
  const list = await server.run(['webhook', 'list', '--output', 'json'])
  expect(JSON.parse(list.stdout)).toEqual([
    {
      name: 'ops',
      origin: receiver.url,
      secret: { env: 'PONTO_SECRET_HOOK' },
      hasSecret: true,
      events: ['batch.completed'],
    },
    expect.objectContaining({ name: 'ci', owner: 'ci' }),
  ])
  for (const { stdout } of [table, list]) expect(stdout).not.toMatch(/s3cret|whsec_/)
})

test('one is tried: what is sent is signed, and what came back is told', async () => {
  receiver.script(json('"thanks\\u001b[31m"'))
  const taken = await server.run(['webhook', 'test', 'OPS'])
  expect([taken.code, taken.stderr]).toEqual([0, ''])
  expect(taken.stdout).toMatch(/Taken +yes[\s\S]*Status +200[\s\S]*It said +"thanks/)
  const { body, headers } = receiver.requests.at(-1) as (typeof receiver.requests)[number]
  const client = new OpenAI({ apiKey: 'unused' })
  const event = await client.webhooks.unwrap(body, headers as Record<string, string>, secret)
  expect(event as unknown).toMatchObject({ object: 'event', type: 'webhook.test' })

  receiver.script(json({ why: 'no' }, 403))
  const refused = await server.run(['webhook', 'test', 'ops', '--output', 'json'])
  expect(refused.code).toBe(1)
  expect(JSON.parse(refused.stdout)).toMatchObject({
    isTaken: false,
    status: 403,
    said: '{"why":"no"}',
    reason: 'the receiver answered with status 403',
  })
  const unknown = await server.run(['webhook', 'test', 'none'])
  expect(unknown.code).not.toBe(0)
  expect(unknown.stderr).toContain('There is no webhook "none". There is: ops, ci.')
})
