import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '../../src/core/json.ts'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../support/server-process.ts'

/** A server managed from the root of its host, as tools of the vendor do it, and used by what was made. */

let folder: string
let server: ServerProcess

beforeAll(async () => {
  folder = makeTempFolder()
  server = await startServer({ dataFolder: folder })
}, 60_000)
afterAll(async () => {
  await server?.stop()
  removeFolder(folder)
})

const root = '/subscriptions/00000000-0000-0000-0000-000000000000'
const account = `${root}/resourceGroups/team/providers/Microsoft.CognitiveServices/accounts/shop`
const model = { format: 'Ponto', name: 'builtin-nano', version: '1' }

type Sent = { readonly status: number; readonly headers: Headers; readonly body: JsonObject }

async function send(method: string, path: string, body?: unknown): Promise<Sent> {
  const key = readFileSync(join(folder, 'management.key'), 'utf8').trim()
  const response = await fetch(`${server.httpUrl}${path}?api-version=2025-09-01`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }
}

async function stateOf({ headers }: Sent): Promise<unknown> {
  const { pathname } = new URL(headers.get('azure-asyncoperation') ?? '')
  return (await send('GET', pathname)).body.status
}

async function ask(endpoint: string, key: string): Promise<Response> {
  return fetch(`${endpoint}openai/deployments/chat/chat/completions?api-version=2024-10-21`, {
    method: 'POST',
    headers: { 'api-key': key, 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Say hello.' }], max_tokens: 5 }),
  })
}

describe('an account that was made by the management API of the vendor', () => {
  let made: Sent
  let keys: JsonObject

  test('answers at its endpoint, with its keys, as soon as a deployment is made', async () => {
    expect((await send('PUT', `${root}/resourcegroups/team`, { location: 'eastus' })).status).toBe(201)
    made = await send('PUT', account, { location: 'eastus', kind: 'AIServices', sku: { name: 'S0' } })
    expect(made.status).toBe(201)
    const deployment = await send('PUT', `${account}/deployments/chat`, {
      sku: { name: 'Standard', capacity: 100 },
      properties: { model },
    })
    expect([deployment.status, await stateOf(deployment)]).toEqual([201, 'Succeeded'])
    keys = (await send('POST', `${account}/listKeys`)).body
    const { endpoint } = made.body.properties as { endpoint: string }
    expect(endpoint).toBe(`${server.httpUrl}/resources/shop/`)
    const answer = await ask(endpoint, keys.key1 as string)
    expect(answer.status).toBe(200)
    expect(((await answer.json()) as JsonObject).choices).toHaveLength(1)
    // The keys of one are nothing to another.
    expect((await ask(`${server.httpUrl}/`, keys.key1 as string)).status).toBe(401)
  }, 60_000)

  test('refuses a key that was made anew, and takes the new one', async () => {
    const { body } = await send('POST', `${account}/regenerateKey`, { keyName: 'Key1' })
    const { endpoint } = made.body.properties as { endpoint: string }
    expect((await ask(endpoint, keys.key1 as string)).status).toBe(401)
    expect((await ask(endpoint, body.key1 as string)).status).toBe(200)
  }, 60_000)

  test('is there after a restart, and so is how its operations ended', async () => {
    const paused = await send('POST', `${account}/deployments/chat/pause`)
    expect(paused.status).toBe(200)
    const gone = await send('DELETE', `${root}/resourceGroups/team/providers/Microsoft.CognitiveServices/accounts/none`)
    expect(gone.status).toBe(204)
    await server.stop()
    server = await startServer({ dataFolder: folder })
    expect(await stateOf(made)).toBe('Succeeded')
    const { endpoint } = (await send('GET', account)).body.properties as { endpoint: string }
    expect((await ask(endpoint, keys.key2 as string)).status).toBe(423)
    expect((await send('POST', `${account}/deployments/chat/resume`)).status).toBe(200)
    expect((await ask(endpoint, keys.key2 as string)).status).toBe(200)
  }, 90_000)

  test('answers no more once it is deleted, and is gone for good once it is purged', async () => {
    const { endpoint } = (await send('GET', account)).body.properties as { endpoint: string }
    const deleted = await send('DELETE', account)
    expect([deleted.status, await stateOf(deleted)]).toEqual([202, 'Succeeded'])
    expect((await ask(endpoint, keys.key2 as string)).status).toBe(401)
    const grave = `${root}/providers/Microsoft.CognitiveServices/locations/eastus/resourceGroups/team/deletedAccounts/shop`
    const purged = await send('DELETE', grave)
    expect([purged.status, await stateOf(purged)]).toEqual([202, 'Succeeded'])
    expect((await send('GET', grave)).status).toBe(404)
  })

  test('a key of the data plane opens nothing here', async () => {
    for (const headers of [{ 'api-key': server.key }, { authorization: `Bearer ${server.key}` }, {}] as Record<
      string,
      string
    >[]) {
      const response = await fetch(`${server.httpUrl}${root}?api-version=2022-12-01`, { headers })
      expect([401, 403]).toContain(response.status)
    }
  })
})
