import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { BlocklistView, DeploymentView, FilterChoices, PolicyView, TopicView } from '../api.ts'
import { type ControlFixture, errorOf, remote, startControl } from '../control.fixture.ts'

let control: ControlFixture
const send: ControlFixture['send'] = (...request) => control.send(...request)
const put = (path: string, body: unknown = {}, headers: Record<string, string> = {}) =>
  send('PUT', path, { body, headers })

beforeAll(async () => {
  control = await startControl()
})
afterAll(() => control.stop())

describe('policies', () => {
  test('are made, shown, listed, changed and deleted', async () => {
    const made = await put('/rai-policies/Strict', {
      contentFilters: [{ name: 'hate', source: 'Prompt', severityThreshold: 'Low' }],
      protectedTexts: [{ name: 'song', text: 'la '.repeat(40) }],
    })
    const view = made.json<PolicyView>()
    expect([made.status, made.headers.get('etag')]).toEqual([201, `"${view.etag}"`])
    expect(view).toMatchObject({
      name: 'Strict',
      type: 'UserManaged',
      basePolicyName: 'Microsoft.DefaultV2',
      mode: 'Default',
      contentFilters: [{ name: 'Hate', source: 'Prompt', severityThreshold: 'Low', enabled: true }],
      protectedTexts: [{ name: 'song', text: 'la '.repeat(40) }],
      deployments: [],
      source: { kind: 'stored' },
    })
    expect(view.effectiveFilters).toHaveLength(11)
    expect(view.effectiveFilters[0]).toMatchObject({ category: 'hate', leastSeverity: 2 })
    expect((await send('GET', '/rai-policies/STRICT')).json<PolicyView>()).toEqual(view)
    const listed = (await send('GET', '/rai-policies')).json<{ value: PolicyView[] }>().value
    expect(listed.map(({ name, type }) => [name, type])).toEqual([
      ['Microsoft.Default', 'SystemManaged'],
      ['Microsoft.DefaultV2', 'SystemManaged'],
      ['Microsoft.Nil', 'SystemManaged'],
      ['Strict', 'UserManaged'],
    ])
    expect(listed[3]).not.toHaveProperty('protectedTexts')
    // What was read can be written again.
    const again = await put('/rai-policies/strict', { ...view, mode: 'Blocking' })
    expect([again.status, again.json<PolicyView>().name, again.json<PolicyView>().mode]).toEqual([
      200,
      'Strict',
      'Blocking',
    ])
    expect((await put('/rai-policies/strict', {}, { 'if-match': `"${view.etag}"` })).status).toBe(412)
    expect((await put('/rai-policies/strict', {}, { 'if-none-match': '*' })).status).toBe(412)
    expect((await send('DELETE', '/rai-policies/strict', { headers: { 'if-match': '"old"' } })).status).toBe(412)
    const gone = await send('DELETE', '/rai-policies/strict')
    expect([gone.status, gone.text]).toEqual([204, ''])
    const missing = await send('DELETE', '/rai-policies/strict')
    expect([missing.status, errorOf(missing).message]).toEqual([
      404,
      'There is no content filter policy "strict". GET /management/rai-policies lists those there are.',
    ])
  })

  test('a dry run judges, and writes and deletes nothing', async () => {
    const made = await put('/rai-policies/dry?dryRun=true', { mode: 'Deferred' })
    expect([made.status, made.json<PolicyView>().mode]).toEqual([201, 'Deferred'])
    expect((await send('GET', '/rai-policies/dry')).status).toBe(404)
    expect((await put('/rai-policies/dry?dryRun=true', { mode: 'Never' })).status).toBe(400)
    await put('/rai-policies/dry')
    expect((await send('DELETE', '/rai-policies/dry?dryRun=true')).status).toBe(204)
    const changed = await put('/rai-policies/DRY?dryRun=true', { mode: 'Deferred' })
    expect([changed.status, changed.json<PolicyView>().name]).toEqual([200, 'dry'])
    expect((await send('GET', '/rai-policies/dry')).json<PolicyView>().mode).toBe('Default')
    await send('DELETE', '/rai-policies/dry')
  })

  test('every problem is told at once, each with its field', async () => {
    const refused = await put('/rai-policies/bad', {
      contentFilters: [
        { name: 'Jailbreak', source: 'Completion' },
        { name: 'Hate', source: 'Prompt', engines: ['gard'] },
      ],
      customBlocklists: [{ blocklistName: 'none', source: 'Prompt' }],
    })
    expect([refused.status, errorOf(refused).details?.map(({ target }) => target)]).toEqual([
      400,
      ['contentFilters[0].source', 'contentFilters[1].engines[0]', 'customBlocklists[0].blocklistName'],
    ])
    expect(errorOf(refused).details?.[1]?.message).toBe('got "gard", expected "builtin"')
  })

  test('those that come with Ponto stay as they are', async () => {
    for (const [method, body] of [['PUT', {}] as const, ['DELETE', undefined] as const]) {
      for (const query of ['', '?dryRun=true']) {
        const refused = await send(method, `/rai-policies/microsoft.nil${query}`, { body })
        expect([refused.status, errorOf(refused).code]).toEqual([409, 'SystemManaged'])
      }
    }
  })

  test('another name in the document is refused', async () => {
    const refused = await put('/rai-policies/one', { name: 'two' })
    expect([refused.status, errorOf(refused).message]).toEqual([
      400,
      'name: got "two", expected "one" as in the path (a content filter policy cannot be renamed), or nothing',
    ])
  })
})

describe('a deployment', () => {
  test('has a policy, or the default one; an unknown one is refused with those there are', async () => {
    await put('/rai-policies/house')
    const refused = await put('/deployments/gpt', { ...remote(), raiPolicyName: 'hose' })
    expect([refused.status, errorOf(refused).code, errorOf(refused).message]).toEqual([
      400,
      'InvalidRaiPolicy',
      'raiPolicyName: got "hose", expected one of "house", "Microsoft.Default", "Microsoft.DefaultV2", "Microsoft.Nil"',
    ])
    const made = await put('/deployments/gpt', { ...remote(), raiPolicyName: 'HOUSE' })
    expect([made.status, made.json<DeploymentView>().raiPolicyName]).toEqual([201, 'HOUSE'])
    const tried = await put('/deployments/other?dryRun=true', remote())
    expect(tried.json<DeploymentView>().effectiveRaiPolicyName).toBe('Microsoft.Nil')
    expect((await send('GET', '/rai-policies/house')).json<PolicyView>().deployments).toEqual(['gpt'])
  })

  test('keeps its policy from being deleted', async () => {
    for (const query of ['', '?dryRun=true']) {
      const refused = await send('DELETE', `/rai-policies/house${query}`)
      expect([refused.status, errorOf(refused)]).toEqual([
        409,
        {
          code: 'InUse',
          message: 'The content filter policy "house" is used by the deployment "gpt". Change that first.',
        },
      ])
    }
    await send('PATCH', '/deployments/gpt', { body: { raiPolicyName: null } })
    expect((await send('DELETE', '/rai-policies/house')).status).toBe(204)
    await send('DELETE', '/deployments/gpt')
  })

  test('that is written while its policy is deleted does not end up without one', async () => {
    for (let i = 0; i < 10; i++) {
      await put('/rai-policies/race')
      const [deleted, made] = await Promise.all([
        send('DELETE', '/rai-policies/race'),
        put('/deployments/race', { ...remote(), raiPolicyName: 'race' }),
      ])
      expect([deleted.status, made.status].join()).toMatch(/^(204,400|409,201)$/)
      await send('DELETE', '/deployments/race')
    }
  })
})

test('topics are made, shown, used and deleted', async () => {
  const made = await put('/rai-topics/weather', { description: 'the weather', examples: ['will it rain'] })
  expect([made.status, made.json<TopicView>()]).toEqual([
    201,
    expect.objectContaining({ name: 'weather', description: 'the weather', examples: ['will it rain'], policies: [] }),
  ])
  await put('/rai-policies/p', { customTopics: [{ topicName: 'Weather', source: 'Prompt' }] })
  expect((await send('GET', '/rai-topics/weather')).json<TopicView>().policies).toEqual(['p'])
  expect((await send('DELETE', '/rai-topics/weather')).status).toBe(409)
  await send('DELETE', '/rai-policies/p')
  expect((await send('DELETE', '/rai-topics/weather')).status).toBe(204)
  expect((await put('/rai-topics/weather', {})).status).toBe(400)
})

test('what may stand in a policy is told in one answer', async () => {
  await put('/filter-engines/guard', { kind: 'http', url: 'https://filter.example' })
  await put('/rai-blocklists/words', { terms: ['x'] })
  const choices = (await send('GET', '/filters')).json<FilterChoices>()
  expect(choices.categories.find(({ name }) => name === 'self_harm')).toEqual({
    name: 'self_harm',
    title: 'Selfharm',
    kind: 'severity',
    sources: ['Prompt', 'Completion'],
  })
  expect(choices).toMatchObject({
    severityThresholds: ['Low', 'Medium', 'High'],
    modes: ['Default', 'Blocking', 'Asynchronous_filter', 'Deferred'],
    policies: ['Microsoft.Default', 'Microsoft.DefaultV2', 'Microsoft.Nil'],
    defaultPolicy: 'Microsoft.Nil',
    blocklists: ['words'],
  })
  expect(choices.engines.map(({ name }) => name)).toEqual(['builtin', 'guard'])
  expect(choices.piiTypes.map(({ type }) => type)).toContain('Email')
  expect(Object.keys(choices.engineKinds)).toContain('guard')
  await send('DELETE', '/filter-engines/guard')
  await send('DELETE', '/rai-blocklists/words')
})

test('what the file declares can only be changed there, with file and line', async () => {
  control.filters.declare(
    {
      policies: [],
      engines: [],
      topics: [],
      blocklists: [{ spec: { name: 'declared', items: [] }, file: '/etc/ponto.yaml', line: 12 }],
    },
    1,
  )
  expect((await send('GET', '/rai-blocklists/declared')).json<BlocklistView>().source).toEqual({
    kind: 'file',
    file: '/etc/ponto.yaml',
    line: 12,
  })
  for (const [method, path, body] of [
    ['PUT', '', {}],
    ['PUT', '?dryRun=true', {}],
    ['DELETE', '', undefined],
    ['POST', '/items', [{ pattern: 'x' }]],
    ['POST', '/items?dryRun=true', [{ pattern: 'x' }]],
    ['DELETE', '/items/x', undefined],
  ] as const) {
    const refused = await send(method, `/rai-blocklists/Declared${path}`, { body })
    expect([refused.status, errorOf(refused)]).toEqual([
      409,
      {
        code: 'DeclaredInFile',
        message: 'The blocklist "declared" is declared in /etc/ponto.yaml, line 12, and can only be changed there.',
      },
    ])
  }
})
