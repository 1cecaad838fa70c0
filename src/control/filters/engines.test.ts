import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { EngineProbe, EngineView } from '../api.ts'
import { type ControlFixture, errorOf, planted, remote, startControl } from '../control.fixture.ts'

let control: ControlFixture
const send: ControlFixture['send'] = (...request) => control.send(...request)
const put = (path: string, body: unknown = {}, headers: Record<string, string> = {}) =>
  send('PUT', path, { body, headers })

beforeAll(async () => {
  control = await startControl()
})
afterAll(() => control.stop())

describe('engines', () => {
  const http = { kind: 'http', url: 'https://filter.example/v1' }

  test('are made, asked, used and deleted; the secret is sealed and never shown', async () => {
    const made = await put('/filter-engines/Guard', { ...http, credential: { value: planted } })
    expect([made.status, made.json<EngineView>()]).toMatchObject([
      201,
      { name: 'Guard', ...http, credential: { stored: true }, policies: [] },
    ])
    expect(made.json<EngineView>().categories).toContain('hate')
    expect(JSON.stringify(await control.tables.filters.list('engine'))).not.toContain(planted)
    expect((await send('GET', '/filter-engines/guard/probe')).json<EngineProbe>()).toEqual({
      ok: true,
      detail: 'Guard: it answers',
      ms: 1,
    })
    expect((await send('GET', '/filter-engines/none/probe')).status).toBe(404)
    await put('/rai-policies/p', { contentFilters: [{ name: 'Hate', source: 'Prompt', engines: ['guard'] }] })
    expect((await send('DELETE', '/filter-engines/guard')).status).toBe(409)
    await send('DELETE', '/rai-policies/p')
    expect((await send('DELETE', '/filter-engines/guard')).status).toBe(204)
    expect(control.answers.join()).not.toContain(planted)
  })

  test('keep a secret for the same address, and give it to no other', async () => {
    const stored = async () => control.filters.engines.get('guard')?.spec.credential
    await put('/filter-engines/guard', { ...http, credential: { value: planted } })
    const first = await stored()
    expect(first).toHaveProperty('sealed')
    await put('/filter-engines/guard', { ...http, maxChars: 500 })
    expect(await stored()).toEqual(first as never)
    await put('/filter-engines/guard', { ...http, url: 'https://filter.example/v2', credential: { stored: true } })
    expect(await stored()).toEqual(first as never)
    const moved = await put('/filter-engines/guard', {
      ...http,
      url: 'https://elsewhere.example',
      credential: { stored: true },
    })
    expect([moved.status, errorOf(moved).message]).toEqual([
      400,
      'credential: got {"stored": true}, but what is stored was given for another kind or address and is not sent elsewhere; give the credential again',
    ])
    await put('/filter-engines/guard', { ...http, url: 'https://elsewhere.example' })
    expect(await stored()).toBeUndefined()
    const none = await put('/filter-engines/guard', { ...http, credential: { stored: true } })
    expect(errorOf(none).message).toContain('but no credential is stored')
    await put('/filter-engines/guard', { ...http, credential: { env: 'PONTO_SECRET_SET' } })
    expect((await send('GET', '/filter-engines/guard')).json<EngineView>().credential).toEqual({
      env: 'PONTO_SECRET_SET',
    })
    const cleared = await put('/filter-engines/guard', { ...http, credential: null })
    expect(cleared.json<EngineView>()).not.toHaveProperty('credential')
    const sealed = await put('/filter-engines/guard', { ...http, credential: first as object })
    expect([sealed.status, errorOf(sealed).message]).toEqual([
      400,
      expect.stringContaining('credential: got a sealed secret, expected {"value"'),
    ])
    await send('DELETE', '/filter-engines/guard')
  })

  test('that ask a deployment name one that is there', async () => {
    const guard = { kind: 'guard', deployment: 'guard-model', profile: 'qwen3guard' }
    const refused = await put('/filter-engines/guard', guard)
    expect([refused.status, errorOf(refused).message]).toEqual([
      400,
      'deployment: there is no deployment "guard-model"; make it first',
    ])
    await put('/deployments/guard-model', remote())
    expect((await put('/filter-engines/guard', guard)).status).toBe(201)
    await send('DELETE', '/filter-engines/guard')
    await send('DELETE', '/deployments/guard-model')
  })
})
