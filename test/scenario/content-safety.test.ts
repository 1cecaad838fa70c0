import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { memoryBlocklists } from '../../src/service/safety/content-safety/blocklists.fixture.ts'
import { openContentSafety } from '../../src/service/safety/content-safety/open.ts'
import { openWordJudge } from '../../src/service/safety/judge.fixture.ts'
import { openModerations } from '../../src/service/safety/moderations/open.ts'
import { type FakeUpstream, json, startFakeUpstream } from '../support/fake-upstream.ts'
import { type Harness, startHarness, testKey } from '../support/harness.ts'

/** The API of Azure AI Content Safety and moderations without a deployment, over HTTP. What is judged is told in their own tests. */

let ponto: Harness
let upstream: FakeUpstream

beforeAll(async () => {
  const { judge } = openWordJudge()
  upstream = await startFakeUpstream()
  ponto = await startHarness({
    services: [
      ...openContentSafety({ judge, blocklists: memoryBlocklists() }).routes,
      ...openModerations({ judge }).routes,
    ],
  })
})

afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
})

const version = 'api-version=2024-09-01'
const key = { 'ocp-apim-subscription-key': testKey }

function send(method: string, path: string, body?: unknown, headers: Record<string, string> = key): Promise<Response> {
  return fetch(`${ponto.url}/contentsafety${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

describe('content safety', () => {
  test('analyses texts for whoever has a key, in the header that its clients use', async () => {
    const analyse = (headers?: Record<string, string>) =>
      send('POST', `/text:analyze?${version}`, { text: 'hate=5' }, headers)
    const answer = await analyse()
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-content-filter-engine')).toBe('words/1')
    expect((await answer.json()).categoriesAnalysis[0]).toEqual({ category: 'Hate', severity: 4 })
    const denied = await analyse({ 'ocp-apim-subscription-key': 'wrong' })
    expect(denied.status).toBe(401)
    expect((await denied.json()).error).toMatchObject({ code: '401', details: [] })
  })

  test('makes, fills, reads and deletes a blocklist, by the methods and statuses of the service', async () => {
    const list = '/text/blocklists/my-list'
    const merge = { ...key, 'content-type': 'application/merge-patch+json' }
    expect((await send('PATCH', `${list}?${version}`, { description: 'd' }, merge)).status).toBe(201)
    expect((await send('PATCH', `${list}?${version}`, { description: 'e' }, merge)).status).toBe(200)
    const added = await send('POST', `${list}:addOrUpdateBlocklistItems?${version}`, {
      blocklistItems: [{ text: 'acme' }],
    })
    const [item] = (await added.json()).blocklistItems
    const read = await send('GET', `${list}/blocklistItems/${item.blocklistItemId}?${version}`)
    expect(await read.json()).toEqual(item)
    const removed = await send('POST', `${list}:removeBlocklistItems?${version}`, {
      blocklistItemIds: [item.blocklistItemId],
    })
    expect(removed.status).toBe(204)
    expect(await removed.text()).toBe('')
    expect((await send('DELETE', `${list}?${version}`)).status).toBe(204)
    const gone = await send('GET', `${list}?${version}`)
    expect(gone.status).toBe(404)
    expect(gone.headers.get('x-ms-error-code')).toBe('ResourceNotFound')
  })

  test('leads from page to page by whole addresses', async () => {
    const list = '/text/blocklists/long'
    await send('PATCH', `${list}?${version}`, {})
    await send('POST', `${list}:addOrUpdateBlocklistItems?${version}`, {
      blocklistItems: [{ text: 'a' }, { text: 'b' }],
    })
    const first = await (await send('GET', `${list}/blocklistItems?${version}&maxpagesize=1`)).json()
    const second = await (await fetch(first.nextLink, { headers: key })).json()
    expect([...first.value, ...second.value].map(({ text }) => text)).toEqual(['a', 'b'])
    expect(second).not.toHaveProperty('nextLink')
  })

  test.each([
    ['POST', '/text:analyze', { text: 'a' }, 404, 'ResourceNotFound', 'api-version'],
    ['POST', `/text:analyze?${version}`, { text: 5 }, 400, 'InvalidRequestBody', 'text'],
    ['PATCH', `/text/blocklists/a%20b?${version}`, {}, 400, 'InvalidResourceName', 'blocklistName'],
    ['GET', `/text:analyze?${version}`, undefined, 405, 'MethodNotAllowed', undefined],
    ['POST', `/text:summarise?${version}`, {}, 404, 'ResourceNotFound', undefined],
  ])('refuses %s %s with %j in the shape of the service', async (method, path, body, status, code, target) => {
    const answer = await send(method, path, body)
    expect(answer.status).toBe(status)
    const { error } = await answer.json()
    expect(error).toMatchObject({ code, message: expect.any(String), details: [] })
    expect(error.target).toBe(target)
  })
})

describe('moderations', () => {
  test.each(['/openai/v1/moderations', `/openai/moderations?${version}`])(
    '%s: are answered without a deployment',
    async (path) => {
      for (const model of [undefined, 'omni-moderation-latest', 'text-moderation-stable']) {
        const answer = await ponto.post(path, { model, input: ['hate=5', 'fine'] })
        expect(answer.status).toBe(200)
        expect(await answer.json()).toMatchObject({
          model: 'words/1',
          results: [{ flagged: true }, { flagged: false }],
        })
      }
    },
  )

  test('are left to a deployment of that name, and to no other name', async () => {
    upstream.script(json({ id: 'theirs', model: 'm', results: [] }))
    ponto.deploy({
      name: 'Omni-Moderation-Latest',
      model: { name: 'm' },
      backends: [{ url: `${upstream.url}/v1`, model: 'up' }],
    })
    const answer = await ponto.post('/openai/v1/moderations', { input: 'hate=5' })
    expect((await answer.json()).id).toBe('theirs')
    const other = await ponto.post('/openai/v1/moderations', { model: 'mine', input: 'hate=5' })
    expect(other.status).toBe(404)
    expect((await other.json()).error.code).toBe('DeploymentNotFound')
  })
})
