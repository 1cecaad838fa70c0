import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { authenticate, hashKey } from '../../../policy/authenticate.ts'
import { buildKeyRing } from '../../../snapshot/keys/key-ring.ts'
import type { NamedKey } from '../../../snapshot/keys/named-key.ts'
import type { NamedKeyView } from '../../api.ts'
import { type ControlFixture, errorOf, remote, resourceKey, type Sent, startControl } from '../../control.fixture.ts'

const hour = 3_600_000
const start = Date.UTC(2026, 5, 1)
let time = start
let announced: readonly NamedKey[] = []
let control: ControlFixture
const send: ControlFixture['send'] = (...request) => control.send(...request)

beforeAll(async () => {
  control = await startControl({
    now: () => time,
    onNamedKeysChanged: (keys) => {
      announced = keys
    },
  })
  for (const name of ['Mistral-large', 'gpt-4o']) await send('PUT', `/deployments/${name}`, { body: remote() })
})
afterAll(() => control.stop())
beforeEach(async () => {
  time = start
  for (const { name } of await control.tables.namedKeys.list()) await send('DELETE', `/named-keys/${name}`)
  expect(announced).toEqual([])
})

const path = '/named-keys/ci'
const make = (body: object = {}, at = path) => send('PUT', at, { body })
const viewOf = (sent: Sent) => sent.json<NamedKeyView>()
const secretOf = (sent: Sent) => viewOf(sent).secret as string

/** Whom the data plane takes the holder of that secret for, or what it tells it, by what it was last told. */
function enter(secret: string): string {
  try {
    return authenticate(new Headers({ 'api-key': secret }), buildKeyRing([], announced), time).keyName
  } catch (error) {
    return (error as Error).message
  }
}

describe('a dry run', () => {
  const list = async () => (await send('GET', '/named-keys')).json<{ value: NamedKeyView[] }>().value

  test('shows what would be made, changed or deleted, without a secret, and nothing is', async () => {
    const made = await send('PUT', `${path}?dryRun=true`, { body: { owner: 'Ann' } })
    expect([made.status, viewOf(made).owner, viewOf(made).secret]).toEqual([201, 'Ann', undefined])
    expect([await list(), announced]).toEqual([[], []])
    await make({ owner: 'Ann' })
    const before = await list()
    for (const method of ['PUT', 'PATCH']) {
      const tried = await send(method, `${path.toUpperCase().replace('NAMED-KEYS', 'named-keys')}?dryRun=true`, {
        body: { owner: 'Bob' },
      })
      expect([tried.status, viewOf(tried)]).toEqual([200, { ...(before[0] as NamedKeyView), owner: 'Bob' }])
    }
    expect((await send('DELETE', `${path}?dryRun=true`)).status).toBe(204)
    expect(await list()).toEqual(before)
  })

  test.each(['rotate', 'revoke'])('of %s is refused', async (action) => {
    const secret = secretOf(await make())
    const refused = await send('POST', `${path}/${action}?dryRun=true`)
    expect([refused.status, errorOf(refused).message]).toEqual([400, expect.stringContaining('dryRun: got "true"')])
    expect(enter(secret)).toBe('ci')
  })
})

describe('a named key', () => {
  test.each(['9999-12-31T23:59:59-00:01', '9999-12-31T23:00:00-23:59'])(
    'that would end in the year 10000, %s, is refused and not stored',
    async (expiresAt) => {
      const refused = await make({ expiresAt })
      expect([refused.status, errorOf(refused).message]).toEqual([
        400,
        expect.stringContaining('expected a time before the year 10000'),
      ])
      expect(await control.tables.namedKeys.list()).toEqual([])
    },
  )

  test('is made with what it was given; its secret is in that answer only, and its digest in the database', async () => {
    const terms = {
      owner: 'Team Größe',
      deployments: ['mistral-LARGE', 'gpt-4o'],
      tokensPerMinute: 1000,
      requestsPerMinute: 6,
      budgets: [
        { unit: 'tokens', period: 'day', limit: 100_000 },
        { unit: 'cost', period: 'month', limit: 12.5 },
      ],
      expiresAt: '2027-01-01T00:00:00+01:00',
    }
    const made = await make(terms)
    expect(made.status).toBe(201)
    const { secret, ...view } = viewOf(made)
    expect(view).toEqual({
      ...(terms as Pick<NamedKeyView, 'owner' | 'budgets'>),
      name: 'ci',
      deployments: ['Mistral-large', 'gpt-4o'],
      tokensPerMinute: 1000,
      requestsPerMinute: 6,
      expiresAt: '2026-12-31T23:00:00.000Z',
      status: 'active',
      etag: expect.any(String),
      createdAt: '2026-06-01T00:00:00.000Z',
      updatedAt: '2026-06-01T00:00:00.000Z',
    })
    expect(made.headers.get('etag')).toBe(`"${view.etag}"`)
    expect(made.headers.get('cache-control')).toBe('no-store')
    expect(enter(secret as string)).toBe('ci')
    const shown = await send('GET', '/named-keys/CI')
    expect([shown.status, viewOf(shown)]).toEqual([200, view])
    expect((await send('GET', '/named-keys')).json<unknown>()).toEqual({ value: [view] })
    const stored = await control.tables.namedKeys.list()
    expect(stored[0]?.digest).toBe(hashKey(secret as string))
    expect(JSON.stringify(stored)).not.toContain(secret as string)
  })

  test('with nothing said may use everything, without limit or end', async () => {
    const { secret: _, ...view } = viewOf(await make())
    expect(view).toMatchObject({ owner: '', deployments: 'all', budgets: [], status: 'active' })
    expect(view).not.toContainAnyKeys(['tokensPerMinute', 'requestsPerMinute', 'expiresAt'])
  })

  test('is replaced and patched without touching its secret', async () => {
    const secret = secretOf(await make({ owner: 'Ada', tokensPerMinute: 5 }))
    const patched = await send('PATCH', '/named-keys/CI', {
      body: { deployments: ['gpt-4o'], tokensPerMinute: null, requestsPerMinute: 7 },
      type: 'application/merge-patch+json',
    })
    expect(patched.status).toBe(200)
    expect(viewOf(patched)).toMatchObject({ name: 'ci', owner: 'Ada', deployments: ['gpt-4o'], requestsPerMinute: 7 })
    expect(viewOf(patched)).not.toContainAnyKeys(['tokensPerMinute', 'secret'])
    const read = viewOf(await send('GET', path))
    const replaced = await make({ ...read, owner: 'Grace' })
    expect(replaced.status).toBe(200)
    expect(viewOf(replaced)).toEqual({ ...read, owner: 'Grace', etag: expect.not.stringMatching(read.etag) })
    expect(enter(secret)).toBe('ci')
    expect(announced[0]?.spec).toMatchObject({ owner: 'Grace', requestsPerMinute: 7 })
  })

  test('is deleted, and then a stranger', async () => {
    const secret = secretOf(await make())
    const gone = await send('DELETE', '/named-keys/CI')
    expect([gone.status, gone.text]).toEqual([204, ''])
    expect(enter(secret)).toStartWith('Access denied')
    for (const [method, at] of [
      ['GET', path],
      ['DELETE', path],
      ['POST', `${path}/rotate`],
      ['POST', `${path}/revoke`],
    ] as const) {
      const response = await send(method, at)
      expect([response.status, errorOf(response).code]).toEqual([404, 'NotFound'])
      expect(errorOf(response).message).toBe(
        'There is no named key "ci". GET /management/named-keys lists those there are.',
      )
    }
    expect((await send('PATCH', path, { body: {} })).status).toBe(404)
  })

  test("is none of the resource's own two", async () => {
    const response = await make({}, '/named-keys/KEY1')
    expect(response.status).toBe(400)
    expect(errorOf(response).message).toBe(
      'name: got "KEY1", expected another name: key1 and key2 are the resource\'s own',
    )
    expect(errorOf(await send('GET', '/named-keys/key1')).message).toBe(
      `There is no named key "key1". It is the resource's own: GET /management/keys.`,
    )
    expect((await send('GET', '/keys')).json<{ value: { value: string }[] }>().value[0]?.value).toBe(resourceKey)
  })

  test('preconditions hold or nothing changes; of writers that race, one makes the key', async () => {
    expect((await send('PUT', path, { body: {}, headers: { 'if-match': '*' } })).status).toBe(412)
    const race = await Promise.all(
      Array.from({ length: 8 }, () => send('PUT', path, { body: {}, headers: { 'if-none-match': '*' } })),
    )
    expect(race.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(412)])
    expect(errorOf(race.find(({ status }) => status === 412) as Sent).message).toStartWith(
      'There is a key "ci" already',
    )
    const winner = race.find(({ status }) => status === 201) as Sent
    expect(enter(secretOf(winner))).toBe('ci')
    const headers = { 'if-match': '"stale"' }
    for (const [method, at] of [
      ['PUT', path],
      ['PATCH', path],
      ['DELETE', path],
      ['POST', `${path}/rotate`],
      ['POST', `${path}/revoke`],
    ] as const) {
      const body = method === 'PUT' || method === 'PATCH' ? { owner: 'x' } : undefined
      expect((await send(method, at, { headers, body })).status).toBe(412)
    }
    expect(viewOf(await send('GET', path))).toMatchObject({ etag: viewOf(winner).etag, owner: '', status: 'active' })
  })

  test('changes that come at once are all made', async () => {
    await make()
    const fields = ['tokensPerMinute', 'requestsPerMinute', 'owner']
    const done = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        i % 4 === 3
          ? send('POST', `${path}/rotate`)
          : send('PATCH', path, { body: { [fields[i % 4] as string]: i % 4 === 2 ? 'Ada' : 9 } }),
      ),
    )
    expect(done.map(({ status }) => status)).toEqual(Array(12).fill(200))
    expect(viewOf(await send('GET', path))).toMatchObject({ tokensPerMinute: 9, requestsPerMinute: 9, owner: 'Ada' })
    const secrets = done.filter((_, i) => i % 4 === 3).map(secretOf)
    expect(secrets.map(enter).filter((name) => name === 'ci')).toHaveLength(1)
  })
})

describe('rotation', () => {
  test('without an overlap ends the old secret at once', async () => {
    const old = secretOf(await make())
    const rotated = await send('POST', `${path}/rotate`)
    expect(rotated.status).toBe(200)
    expect(viewOf(rotated).previousSecretEndsAt).toBeUndefined()
    expect(enter(secretOf(rotated))).toBe('ci')
    expect(enter(old)).toStartWith("This secret of the key 'ci' was replaced")
  })

  test('with an overlap both are good until it is over', async () => {
    const old = secretOf(await make())
    const rotated = await send('POST', `${path}/rotate`, { body: { overlapSeconds: 3600 } })
    expect(viewOf(rotated).previousSecretEndsAt).toBe('2026-06-01T01:00:00.000Z')
    time = start + hour - 1
    expect([old, secretOf(rotated)].map(enter)).toEqual(['ci', 'ci'])
    time = start + hour
    expect(enter(old)).toBe(
      "This secret of the key 'ci' was replaced and ended on 2026-06-01T01:00:00.000Z. Use the newer one.",
    )
    expect(enter(secretOf(rotated))).toBe('ci')
    expect(viewOf(await send('GET', path)).previousSecretEndsAt).toBeUndefined()
  })

  test('again while one is running: there are never more than two', async () => {
    const first = secretOf(await make())
    const overlap = { body: { overlapSeconds: 3600 } }
    const second = secretOf(await send('POST', `${path}/rotate`, overlap))
    const third = secretOf(await send('POST', `${path}/rotate`, overlap))
    expect(enter(first)).toStartWith('Access denied')
    expect([second, third].map(enter)).toEqual(['ci', 'ci'])
  })

  test.each<[string, object, string]>([
    ['a negative one', { overlapSeconds: -1 }, 'overlapSeconds: got -1, expected at least 0'],
    ['one of 30 years', { overlapSeconds: 1e9 }, 'overlapSeconds: got 1000000000, expected at most 2592000'],
    ['another field', { overlap: 5 }, 'overlap: unknown field, allowed are overlapSeconds'],
  ])('with %s as overlap is refused', async (_what, body, message) => {
    const secret = secretOf(await make())
    const refused = await send('POST', `${path}/rotate`, { body })
    expect([refused.status, errorOf(refused).message]).toEqual([400, message])
    expect(enter(secret)).toBe('ci')
  })

  test('of a key that has expired is refused until it is extended', async () => {
    const secret = secretOf(await make({ expiresAt: '2026-06-01T01:00:00Z' }))
    time = start + hour
    expect(viewOf(await send('GET', path)).status).toBe('expired')
    expect(enter(secret)).toStartWith("The key 'ci' expired on 2026-06-01T01:00:00.000Z.")
    const refused = await send('POST', `${path}/rotate`)
    expect([refused.status, errorOf(refused).code]).toEqual([409, 'KeyExpired'])
    const extended = await send('PATCH', path, { body: { expiresAt: '2026-06-01T02:00:00Z' } })
    expect(viewOf(extended).status).toBe('active')
    expect(enter(secret)).toBe('ci')
  })
})

describe('revoking', () => {
  test('ends both secrets before the answer goes out, is told to their holders, and is final', async () => {
    const old = secretOf(await make())
    const now = secretOf(await send('POST', `${path}/rotate`, { body: { overlapSeconds: 3600 } }))
    const revoked = await send('POST', `${path}/revoke`)
    expect(viewOf(revoked)).toMatchObject({ status: 'revoked', revokedAt: '2026-06-01T00:00:00.000Z' })
    for (const secret of [old, now])
      expect(enter(secret)).toStartWith("The key 'ci' was revoked on 2026-06-01T00:00:00.000Z.")
    time = start + hour
    expect(viewOf(await send('POST', `${path}/revoke`)).revokedAt).toBe('2026-06-01T00:00:00.000Z')
    for (const [method, at] of [
      ['PUT', path],
      ['PATCH', path],
      ['POST', `${path}/rotate`],
    ] as const) {
      const refused = await send(method, at, { body: {} })
      expect([refused.status, errorOf(refused).code]).toEqual([409, 'KeyRevoked'])
    }
    await send('DELETE', path)
    expect((await make()).status).toBe(201)
    expect(enter(now)).toStartWith('Access denied')
  })
})

describe('refusals', () => {
  test.each<[string, object, string]>([
    [
      'a deployment that is not there',
      { deployments: ['gpt-4o', 'gpt-4p'] },
      'deployments[1]: there is no deployment "gpt-4p"; did you mean "gpt-4o"?',
    ],
    ['one like nothing there is', { deployments: ['zzzzzzzz'] }, 'deployments[0]: there is no deployment "zzzzzzzz"'],
    ['no deployments', { deployments: [] }, 'deployments: got a list, expected at least 1 item'],
    ['one twice', { deployments: ['gpt-4o', 'GPT-4o'] }, 'deployments: got a list, expected each deployment once'],
    ['another word than all', { deployments: 'some' }, 'deployments: got "some", expected "all" or a list'],
    ['a limit of nothing', { tokensPerMinute: 0 }, 'tokensPerMinute: got 0, expected at least 1'],
    ['half a request', { requestsPerMinute: 0.5 }, 'requestsPerMinute: got 0.5, expected a whole number'],
    [
      'half a token',
      { budgets: [{ unit: 'tokens', period: 'day', limit: 0.5 }] },
      'budgets[0].limit: got 0.5, expected a whole number of tokens',
    ],
    [
      'a budget of nothing',
      { budgets: [{ unit: 'cost', period: 'day', limit: 0 }] },
      'budgets[0].limit: got 0, expected more than 0',
    ],
    [
      'a budget for a week',
      { budgets: [{ unit: 'cost', period: 'week', limit: 1 }] },
      'budgets[0].period: got "week", expected one of "day", "month"',
    ],
    [
      'two budgets of one kind',
      { budgets: [1, 2].map((limit) => ({ unit: 'cost', period: 'day', limit })) },
      'budgets: got a list, expected each unit and period once',
    ],
    [
      'a date without time',
      { expiresAt: '2027-01-01' },
      'expiresAt: got "2027-01-01", expected a time such as 2027-01-01T00:00:00Z',
    ],
    [
      'a time that has passed',
      { expiresAt: '2026-05-31T23:59:59Z' },
      'expiresAt: got "2026-05-31T23:59:59.000Z", expected a time to come (it is 2026-06-01T00:00:00.000Z); to end a key now, revoke it',
    ],
    [
      'a field there is none of',
      { tokensPerMinut: 5 },
      'tokensPerMinut: unknown field, allowed are name, owner, deployments, tokensPerMinute, requestsPerMinute, budgets, expiresAt',
    ],
    [
      'a secret of the caller',
      { secret: 'mine' },
      'secret: unknown field, allowed are name, owner, deployments, tokensPerMinute, requestsPerMinute, budgets, expiresAt',
    ],
    [
      'another name',
      { name: 'cd' },
      'name: got "cd", expected "ci" as in the path (a key cannot be renamed), or nothing',
    ],
  ])('%s', async (_what, body, message) => {
    const response = await make(body)
    expect([response.status, errorOf(response).message]).toEqual([400, message])
    expect((await send('GET', path)).status).toBe(404)
  })

  test.each(['x', 'with%20space', 'a%2Fb', `${'n'.repeat(65)}`])('the name %s', async (name) => {
    const response = await make({}, `/named-keys/${name}`)
    expect([response.status, errorOf(response).target]).toEqual([400, 'name'])
  })

  test('a deployment that was deleted since stays in the list, and does not stand in the way of a change', async () => {
    await send('PUT', '/deployments/brief', { body: remote() })
    const secret = secretOf(await make({ deployments: ['brief', 'gpt-4o'], expiresAt: '2026-06-01T01:00:00Z' }))
    await send('DELETE', '/deployments/brief')
    time = start + hour
    const patched = await send('PATCH', path, { body: { owner: 'Ada' } })
    expect([patched.status, viewOf(patched).deployments]).toEqual([200, ['brief', 'gpt-4o']])
    const wider = await send('PATCH', path, { body: { deployments: ['brief', 'gpt-4o', 'briefer'] } })
    expect(errorOf(wider).message).toBe('deployments[2]: there is no deployment "briefer"')
    time = start
    expect(enter(secret)).toBe('ci')
  })

  test('of another method, with those there are', async () => {
    const response = await send('GET', `${path}/rotate`)
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
  })
})
