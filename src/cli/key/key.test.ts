import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { PassThrough } from 'node:stream'
import type { KeyView, NamedKeyView } from '../../control/api.ts'
import { type ProgramFixture, startProgram } from '../program.fixture.ts'

let program: ProgramFixture
beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())
beforeEach(() => program.script(() => ({ status: 200, body: view() })))

const own: KeyView = { name: 'key1', value: 'K'.repeat(84), createdAt: '2026-01-02T03:04:05Z' }
const secret = 'S'.repeat(84)

function view(more: Partial<NamedKeyView> = {}): NamedKeyView {
  return {
    name: 'ci',
    owner: 'build team',
    deployments: ['gpt-4o', 'embed'],
    tokensPerMinute: 1000,
    budgets: [{ unit: 'cost', period: 'month', limit: 12.5 }],
    expiresAt: '2027-01-01T00:00:00.000Z',
    status: 'active',
    etag: 'e',
    createdAt: '2026-01-02T03:04:05Z',
    updatedAt: '2026-01-02T03:04:05Z',
    ...more,
  }
}

const ponto = (...args: string[]) => program.run(['key', ...args])
const asked = () => program.seen.map(({ method, path }) => `${method} ${path}`)
const bodyOf = async (...args: string[]) => {
  program.script(() => ({ status: 200, body: view() }))
  const ran = await ponto(...args)
  expect(ran).toMatchObject({ code: 0, err: '' })
  return program.seen[0]?.body as Record<string, unknown>
}

describe('key list and show', () => {
  const answerLists = () =>
    program.script(({ path }) => ({
      status: 200,
      body: {
        value:
          path === '/management/keys' ? [own] : [view(), view({ name: 'ada', status: 'revoked', deployments: 'all' })],
      },
    }))

  test("lists the resource's keys in full and the named ones without secrets", async () => {
    answerLists()
    const { out, code } = await ponto('list')
    expect(code).toBe(0)
    const rows = out.split('\n').map((line) => line.split(/ {2,}/))
    expect(rows[0]).toEqual(['NAME', 'OWNER', 'DEPLOYMENTS', 'STATUS', 'EXPIRES', 'MADE', 'KEY'])
    expect(rows[1]).toEqual(['key1', 'the resource', 'all', 'active', 'never', expect.any(String), own.value])
    expect(rows[2]?.slice(0, 4)).toEqual(['ci', 'build team', 'gpt-4o and 1 more', 'active'])
    expect(rows[3]?.slice(0, 4)).toEqual(['ada', 'build team', 'all', 'revoked'])
  })

  test('as JSON they are what the server said, in one list', async () => {
    answerLists()
    const { out } = await ponto('list', '--output', 'json')
    expect(JSON.parse(out).map(({ name }: { name: string }) => name)).toEqual(['key1', 'ci', 'ada'])
  })

  test('shows one with everything it may', async () => {
    const { out } = await ponto('show', 'ci')
    for (const text of ['build team', 'gpt-4o, embed', '1000', 'no limit', '12.5 cost per month'])
      expect(out).toContain(text)
    expect(out).not.toContain('Secret')
    expect(asked()).toEqual(['GET /management/named-keys/ci'])
  })

  test("shows the resource's own too, and escapes a name in the path", async () => {
    answerLists()
    expect((await ponto('show', 'KEY1')).out).toContain(own.value)
    expect(asked()).toEqual(['GET /management/keys'])
    await bodyOf('show', 'a/../b')
    expect(asked()).toEqual(['GET /management/named-keys/a%2F..%2Fb'])
  })
})

describe('key create', () => {
  test('sends what was named, and only where there is no such key', async () => {
    const flags = ['--owner', 'build team', '--deployment', 'gpt-4o', '--deployment', 'embed']
    const limits = ['--tokens-per-minute', '1000', '--requests-per-minute', '6']
    const budgets = ['--budget', 'tokens/day=100000', '--budget', 'cost/month=12.50']
    expect(await bodyOf('create', 'ci', ...flags, ...limits, ...budgets, '--expires', '2027-01-01')).toEqual({
      owner: 'build team',
      deployments: ['gpt-4o', 'embed'],
      tokensPerMinute: 1000,
      requestsPerMinute: 6,
      budgets: [
        { unit: 'tokens', period: 'day', limit: 100_000 },
        { unit: 'cost', period: 'month', limit: 12.5 },
      ],
      expiresAt: '2027-01-01T00:00:00.000Z',
    })
    expect(program.seen[0]).toMatchObject({ method: 'PUT', path: '/management/named-keys/ci' })
    expect(program.seen[0]?.headers['if-none-match']).toBe('*')
    expect(await bodyOf('create', 'ci')).toEqual({})
    expect(await bodyOf('create', 'ci', '--all-deployments', '--expires', 'never')).toEqual({ deployments: 'all' })
  })

  test('prints the secret once, on standard output alone', async () => {
    program.script(() => ({ status: 201, body: view({ secret }) }))
    const table = await ponto('create', 'ci')
    expect(table.out.split(secret)).toHaveLength(2)
    expect(table.err).toBe('Keep the secret now: it is not stored and cannot be shown again.\n')
    const json = await ponto('create', 'ci', '--output', 'json')
    expect(JSON.parse(json.out).secret).toBe(secret)
    expect(json.err).not.toContain(secret)
  })

  test.each([
    ['2027-01-01T12:00:00Z', '2027-01-01T12:00:00.000Z'],
    ['2027-01-01T12:00:00.5+02:00', '2027-01-01T10:00:00.500Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
  ])('takes %s as expiry', async (given, expiresAt) => {
    expect(await bodyOf('create', 'ci', '--expires', given)).toEqual({ expiresAt })
  })

  test.each([
    ['30d', 30 * 86_400_000],
    ['12h', 12 * 3_600_000],
    ['2w', 14 * 86_400_000],
  ])('counts %s from now', async (given, span) => {
    const before = Date.now()
    const { expiresAt } = await bodyOf('create', 'ci', '--expires', given)
    const began = Date.parse(expiresAt as string) - span
    expect(began).toBeGreaterThanOrEqual(before)
    expect(began).toBeLessThanOrEqual(Date.now())
  })

  test.each([
    ['--expires', 'tomorrow', 'It is a date'],
    ['--expires', '2027-02-30', 'It is a date'],
    ['--expires', '2027-01-01T12:00:00', 'It is a date'],
    ['--tokens-per-minute', '0', 'a whole number from 1 on'],
    ['--requests-per-minute', '1.5', 'a whole number from 1 on'],
    ['--budget', 'tokens=5', 'tokens/day=100000'],
    ['--budget', 'cost/week=5', 'tokens/day=100000'],
  ])('refuses %s %s as wrong usage', async (flag, value, message) => {
    const ran = await ponto('create', 'ci', flag, value)
    expect([ran.code, program.seen]).toEqual([2, []])
    expect(ran.err).toContain(message)
  })

  test('refuses all deployments beside some', async () => {
    const ran = await ponto('create', 'ci', '--all-deployments', '--deployment', 'a')
    expect([ran.code, program.seen]).toEqual([2, []])
    expect(ran.err).toContain('exclude each other')
  })

  test('prints what the server refuses', async () => {
    const details = [{ code: 'DeploymentNotFound', target: 'deployments[0]', message: 'there is no deployment "a"' }]
    program.script(() => ({ status: 400, body: { error: { code: 'DeploymentNotFound', message: 'all', details } } }))
    expect(await ponto('create', 'ci', '--deployment', 'a')).toEqual({
      code: 1,
      out: '',
      err: 'error: deployments[0]: there is no deployment "a"\n',
    })
  })
})

describe('key update', () => {
  test('sends only what is named; none and never take away', async () => {
    expect(await bodyOf('update', 'ci', '--owner', 'Ada')).toEqual({ owner: 'Ada' })
    expect(program.seen[0]).toMatchObject({ method: 'PATCH', path: '/management/named-keys/ci' })
    const away = [
      '--tokens-per-minute',
      'none',
      '--requests-per-minute',
      'none',
      '--budget',
      'none',
      '--expires',
      'never',
    ]
    expect(await bodyOf('update', 'ci', ...away)).toEqual({
      tokensPerMinute: null,
      requestsPerMinute: null,
      budgets: [],
      expiresAt: null,
    })
  })

  test('nothing named is wrong usage', async () => {
    expect(await ponto('update', 'ci')).toMatchObject({ code: 2 })
    expect(program.seen).toEqual([])
  })
})

describe('key rotate, revoke and delete', () => {
  test('rotate sends the overlap in seconds and prints the new secret', async () => {
    program.script(() => ({ status: 200, body: view({ secret, previousSecretEndsAt: '2026-01-02T04:04:05Z' }) }))
    const ran = await ponto('rotate', 'ci', '--overlap', '1h')
    expect(program.seen[0]).toMatchObject({
      method: 'POST',
      path: '/management/named-keys/ci/rotate',
      body: { overlapSeconds: 3600 },
    })
    expect(ran.out).toContain(secret)
    expect(ran.out).toContain('taken until')
    expect(await bodyOf('rotate', 'ci')).toEqual({ overlapSeconds: 0 })
    expect(await ponto('rotate', 'ci', '--overlap', 'soon')).toMatchObject({ code: 2 })
  })

  test('revoke and delete are one call each', async () => {
    program.script(() => ({ status: 200, body: view({ status: 'revoked', revokedAt: '2026-01-02T03:04:05Z' }) }))
    expect((await ponto('revoke', 'ci')).out).toContain('revoked 2026-01-0')
    expect(asked()).toEqual(['POST /management/named-keys/ci/revoke'])
    program.script(() => ({ status: 204 }))
    expect(await ponto('delete', 'ci')).toMatchObject({ code: 0, out: 'Deleted ci.\n' })
    expect(asked()).toEqual(['DELETE /management/named-keys/ci'])
  })

  /** Runs a command at a terminal where `typed` is answered to what it asks. */
  async function atTerminal(args: string[], typed: string) {
    const stdin = Object.assign(new PassThrough(), { isTTY: true })
    let question = ''
    const stderr = {
      write(text: string) {
        question += text
        if (text.includes('[y/N]')) stdin.write(typed)
      },
    }
    const { code } = await program.run(['key', ...args], { stdin, stderr })
    return { code, question }
  }

  test.each([
    ['rotate', 'stops working at once'],
    ['revoke', 'cannot be undone'],
    ['delete', 'cannot be undone'],
  ])('%s asks at a terminal, and takes only yes for yes', async (verb, warning) => {
    for (const typed of ['n\n', '\n', 'yesterday\n']) {
      const refused = await atTerminal([verb, 'ci'], typed)
      expect(refused.code).toBe(1)
      expect(refused.question).toContain(warning)
      expect(refused.question).toEndWith('error: Given up: nothing was changed.\n')
    }
    expect(program.seen).toEqual([])
    expect((await atTerminal([verb, 'ci'], 'Y\n')).code).toBe(0)
    expect(await atTerminal([verb, 'ci', '--yes'], '')).toMatchObject({ code: 0, question: '' })
    expect(program.seen).toHaveLength(2)
  })

  test('a rotation with an overlap breaks nothing and is not asked about', async () => {
    expect(await atTerminal(['rotate', 'ci', '--overlap', '1h'], '')).toMatchObject({ code: 0, question: '' })
  })
})

describe('key regenerate', () => {
  test("is for the resource's own two, and names the way for others", async () => {
    program.script(() => ({ status: 200, body: own }))
    expect((await ponto('regenerate', 'key1')).out).toContain(own.value)
    const ran = await ponto('regenerate', 'ci')
    expect(ran.code).toBe(2)
    expect(ran.err).toContain('For a named one: ponto key rotate ci')
  })
})

test.each(['', 'create', 'update', 'rotate', 'revoke', 'delete', 'regenerate'])(
  'key %s --help has examples',
  async (verb) => {
    const { code, out } = await ponto(...verb.split(' ').filter(Boolean), '--help')
    expect(code).toBe(0)
    expect(out).toContain('Examples:')
  },
)
