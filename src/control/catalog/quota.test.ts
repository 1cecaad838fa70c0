import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { ModelView, QuotaView, Status } from '../api.ts'
import { type ControlFixture, errorOf, startControl } from '../control.fixture.ts'

let control: ControlFixture
const send: ControlFixture['send'] = (...request) => control.send(...request)
beforeAll(async () => {
  control = await startControl()
})
afterAll(() => control.stop())

const deploy = (name: string, capacity: number, model: object = { name: 'gpt-4o' }) =>
  send('PUT', `/deployments/${name}`, {
    body: { model, sku: { name: 'GlobalStandard', capacity }, backends: [{ url: 'https://api.example/v1' }] },
  })
const pools = async () => (await send('GET', '/quota')).json<{ value: QuotaView[] }>().value

describe('quota pools', () => {
  test('are made, shown, listed, changed and deleted', async () => {
    expect(await pools()).toEqual([])
    const made = await send('PUT', '/quota/globalSTANDARD.gpt-4o', { body: { limit: 100 } })
    expect([made.status, made.json<QuotaView>()]).toEqual([
      201,
      {
        name: 'GlobalStandard.gpt-4o',
        model: 'gpt-4o',
        sku: 'GlobalStandard',
        unit: 'Tokens Per Minute (thousands)',
        limit: 100,
        used: 0,
        available: 100,
        deployments: [],
        source: { kind: 'stored' },
      },
    ])
    const shown = await send('GET', '/quota/GLOBALstandard.GPT-4o')
    expect(shown.json<QuotaView>()).toEqual(made.json())
    // What was read can be written again.
    const again = await send('PUT', '/quota/GlobalStandard.gpt-4o', { body: { ...shown.json<object>(), limit: 90 } })
    expect([again.status, again.json<QuotaView>().limit]).toEqual([200, 90])
    expect(await pools()).toEqual([again.json()])
    const gone = await send('DELETE', '/quota/globalstandard.gpt-4o')
    expect([gone.status, gone.text]).toEqual([204, ''])
    expect((await send('DELETE', '/quota/globalstandard.gpt-4o')).status).toBe(404)
    expect((await send('GET', '/quota/globalstandard.gpt-4o')).status).toBe(404)
    expect(await control.tables.quota.list()).toEqual([])
  })

  test('a dry run shows what would be, and nothing is', async () => {
    const made = await send('PUT', '/quota/Standard.gpt-4o?dryRun=true', { body: { limit: 5 } })
    expect([made.status, made.json<QuotaView>().limit, await pools()]).toEqual([201, 5, []])
    expect((await send('DELETE', '/quota/Standard.gpt-4o?dryRun=true')).status).toBe(404)
    const before = (await send('PUT', '/quota/Standard.gpt-4o', { body: { limit: 5 } })).json<QuotaView>()
    const changed = await send('PUT', '/quota/standard.GPT-4O?dryRun=true', { body: { limit: 9 } })
    expect([changed.status, changed.json<QuotaView>()]).toEqual([200, { ...before, limit: 9, available: 9 }])
    expect((await send('DELETE', '/quota/Standard.gpt-4o?dryRun=true')).status).toBe(204)
    expect(await pools()).toEqual([before])
    await send('DELETE', '/quota/Standard.gpt-4o')
  })

  test.each([
    ['nothing', 400, { limit: 1 }, 'There can be no quota pool "nothing": it is named SKU, SKU.MODEL or PUBLISHER'],
    ['OpenAI.Standard', 400, { limit: 1 }, 'There can be no quota pool "OpenAI.Standard"'],
    ['Standard', 400, {}, 'limit: missing, expected a number'],
    ['Standard', 400, { limit: -1 }, 'limit: got -1, expected at least 0'],
    ['Standard', 400, { limit: 1.5 }, 'limit: got 1.5, expected a whole number'],
    ['Standard', 400, { limit: 1, size: 2 }, 'size: unknown field, allowed are limit, '],
  ])('%s is refused with %i for %j', async (name, status, body, text) => {
    const response = await send('PUT', `/quota/${name}`, { body })
    expect([response.status, errorOf(response).message]).toEqual([status, expect.stringContaining(text)])
    expect(await pools()).toEqual([])
  })

  test('names hold models of any spelling', async () => {
    const model = 'org/Some.Model v1.5'
    const made = await send('PUT', `/quota/${encodeURIComponent(`Mistral AI.Standard.${model}`)}`, {
      body: { limit: 1 },
    })
    expect(made.json<QuotaView>()).toMatchObject({ format: 'Mistral AI', sku: 'Standard', model })
    const path = `/quota/${encodeURIComponent(made.json<QuotaView>().name)}`
    expect((await send('DELETE', path)).status).toBe(204)
  })
})

describe('deployments and their pool', () => {
  test('more than is left is refused, in numbers; what is freed is there at once', async () => {
    await send('PUT', '/quota/GlobalStandard.gpt-4o', { body: { limit: 100 } })
    expect((await deploy('one', 60)).status).toBe(201)
    const refused = await deploy('two', 50)
    expect([refused.status, errorOf(refused).code, errorOf(refused).target]).toEqual([
      400,
      'InsufficientQuota',
      'sku.capacity',
    ])
    expect(errorOf(refused).message).toContain(
      'This operation requires 50 new capacity in quota Tokens Per Minute (thousands) - GlobalStandard - gpt-4o, ' +
        'which is bigger than the current available capacity 40. The current quota usage is 60 and the quota limit is 100',
    )
    expect((await deploy('two', 40)).status).toBe(201)
    expect((await pools())[0]).toMatchObject({
      used: 100,
      available: 0,
      deployments: [
        { name: 'one', capacity: 60 },
        { name: 'two', capacity: 40 },
      ],
    })
    await send('DELETE', '/deployments/one')
    expect((await pools())[0]).toMatchObject({ used: 40, available: 60 })
    expect((await deploy('one', 60)).status).toBe(201)
  })

  test('deployments that race for what is left do not get more', async () => {
    await send('DELETE', '/deployments/one')
    const race = await Promise.all(Array.from({ length: 10 }, (_, i) => deploy(`race-${i}`, 20)))
    expect(race.map(({ status }) => status).sort()).toEqual([...Array(3).fill(201), ...Array(7).fill(400)])
    for (let i = 0; i < 10; i++) await send('DELETE', `/deployments/race-${i}`)
    await deploy('one', 60)
  })

  test('a lower limit stops nothing, is told, and only growth is refused', async () => {
    expect(
      (await send('PUT', '/quota/GlobalStandard.gpt-4o', { body: { limit: 10 } })).json<QuotaView>(),
    ).toMatchObject({ limit: 10, used: 100, available: 0 })
    expect((await send('GET', '/status')).json<Status>().warnings).toEqual([
      expect.stringContaining('The quota pool "GlobalStandard.gpt-4o" has 10 units, and its deployments have 100.'),
    ])
    expect((await deploy('one', 60)).status).toBe(200)
    expect((await deploy('one', 59)).status).toBe(200)
    expect((await deploy('one', 60)).status).toBe(400)
  })

  test('of pools for a deployment the one that says most is its own', async () => {
    await send('PUT', '/quota/GlobalStandard', { body: { limit: 5 } })
    await send('PUT', '/quota/Acme.GlobalStandard.gpt-4o', { body: { limit: 7 } })
    expect((await deploy('own', 7, { name: 'gpt-4o', format: 'Acme' })).status).toBe(201)
    expect((await deploy('other', 6, { name: 'gpt-4o-mini' })).status).toBe(400)
    expect((await deploy('other', 5, { name: 'gpt-4o-mini' })).status).toBe(201)
    expect((await pools()).map(({ name, used }) => [name, used])).toEqual([
      ['Acme.GlobalStandard.gpt-4o', 7],
      ['GlobalStandard', 5],
      ['GlobalStandard.gpt-4o', 99],
    ])
  })

  test('what the file declares wins, and can only be changed there', async () => {
    control.quota.declare('/etc/ponto.yaml', [
      { sku: 'GlobalStandard', limit: 50 },
      { sku: 'ProvisionedManaged', limit: 200 },
    ])
    expect((await pools()).map(({ name, limit, source }) => [name, limit, source.kind])).toEqual([
      ['Acme.GlobalStandard.gpt-4o', 7, 'stored'],
      ['GlobalStandard', 50, 'file'],
      ['GlobalStandard.gpt-4o', 10, 'stored'],
      ['ProvisionedManaged', 200, 'file'],
    ])
    for (const [method, body] of [
      ['PUT', { limit: 1 }],
      ['DELETE', undefined],
    ] as const) {
      const response = await send(method, '/quota/globalstandard', { body })
      expect([response.status, errorOf(response)]).toEqual([
        409,
        {
          code: 'DeclaredInFile',
          message: 'The quota pool "GlobalStandard" is declared in /etc/ponto.yaml, and can only be changed there.',
        },
      ])
    }
    // The stored one comes back.
    control.quota.declare('/etc/ponto.yaml', [])
    expect((await pools()).find(({ name }) => name === 'GlobalStandard')).toMatchObject({ limit: 5, used: 5 })
  })
})

describe('models', () => {
  test('are listed with what they are, and who serves them', async () => {
    const { value } = (await send('GET', '/models')).json<{ value: ModelView[] }>()
    expect(value.find(({ name }) => name === 'builtin-nano')).toMatchObject({
      format: 'Ponto',
      version: '1',
      description: 'small',
      runsOn: ['builtin'],
    })
    expect(value.find(({ name, isDefaultVersion }) => name === 'gpt-4o' && isDefaultVersion)).toMatchObject({
      type: 'chat',
      capabilities: { chatCompletion: 'true' },
      deployments: ['one', 'two'],
    })
  })

  test('one, in any case, with all its versions and the default one first', async () => {
    const { value } = (await send('GET', '/models/GPT-4O')).json<{ value: ModelView[] }>()
    expect(value[0]).toMatchObject({ name: 'gpt-4o', isDefaultVersion: true })
    expect(value.length).toBeGreaterThan(1)
    expect(value.slice(1).every(({ isDefaultVersion }) => !isDefaultVersion)).toBe(true)
  })

  test('one that is not there, with the nearest that are', async () => {
    const response = await send('GET', '/models/gtp-4o')
    expect([response.status, errorOf(response).code]).toEqual([404, 'NotFound'])
    expect(errorOf(response).message).toContain('Did you mean "gpt-4o"')
  })
})
