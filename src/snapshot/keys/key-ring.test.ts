import { describe, expect, test } from 'bun:test'
import { authenticate, hashKey } from '../../policy/authenticate.ts'
import type { NamedKeyRow } from '../../port/tables/access/named-keys/port.ts'
import { buildKeyRing } from './key-ring.ts'
import { type NamedKey, readNamedKey, readNamedKeys } from './named-key.ts'

const hour = 3_600_000
const now = Date.UTC(2026, 5, 1)

function row(more: Partial<NamedKeyRow> = {}): NamedKeyRow {
  return {
    name: 'ci',
    document: {},
    digest: hashKey('new'),
    previous: undefined,
    revokedAt: undefined,
    etag: 'e',
    createdAt: 0,
    updatedAt: 0,
    ...more,
  }
}

function key(more: Partial<NamedKeyRow> = {}): NamedKey {
  const reading = readNamedKey(row(more))
  if ('warning' in reading) throw new Error(reading.warning)
  return reading.key
}

function outcome(keys: readonly NamedKey[], secret: string, at = now): string {
  try {
    return authenticate(new Headers({ 'api-key': secret }), buildKeyRing([], keys), at).keyName
  } catch (error) {
    return (error as Error).message
  }
}

describe('the ring', () => {
  test("holds the resource's keys without a grant and named keys with theirs", () => {
    const limits = { tokensPerMinute: 1000, requestsPerMinute: 6 }
    const budgets = [{ unit: 'cost', period: 'month', limit: 2.5 }] as const
    const ring = buildKeyRing(
      [{ name: 'key1', value: 'own', createdAt: 0 }],
      [key({ createdAt: 7, document: { deployments: ['GPT-4o', 'b-2'], ...limits, budgets: [...budgets] } })],
    )
    expect(ring.get(hashKey('own'))).toMatchObject({ keyName: 'key1', grant: undefined, expiresAt: undefined })
    expect(ring.get(hashKey('new'))).toEqual({
      keyName: 'ci',
      resource: '',
      grant: { deployments: new Set(['gpt-4o', 'b-2']), ...limits, budgets, since: 7 },
      expiresAt: undefined,
      endedBy: undefined,
    })
    expect(ring.size).toBe(2)
  })

  test('a key that names no deployments may use all, without limits', () => {
    expect(buildKeyRing([], [key()]).get(hashKey('new'))?.grant).toEqual({
      deployments: undefined,
      tokensPerMinute: undefined,
      requestsPerMinute: undefined,
      budgets: [],
      since: 0,
    })
  })

  test('an expiry ends both secrets', () => {
    const keys = [
      key({
        document: { expiresAt: '2026-06-01T02:00:00+01:00' },
        previous: { digest: hashKey('old'), endsAt: now + 9 * hour },
      }),
    ]
    for (const secret of ['new', 'old']) {
      expect(outcome(keys, secret, now + hour - 1)).toBe('ci')
      expect(outcome(keys, secret, now + hour)).toStartWith("The key 'ci' expired on 2026-06-01T01:00:00.000Z.")
    }
  })

  test('a secret that was replaced ends with its overlap, the newer one goes on', () => {
    const keys = [
      key({
        document: { expiresAt: '2026-06-02T00:00:00Z' },
        previous: { digest: hashKey('old'), endsAt: now + hour },
      }),
    ]
    expect(outcome(keys, 'old', now + hour - 1)).toBe('ci')
    expect(outcome(keys, 'old', now + hour)).toStartWith("This secret of the key 'ci' was replaced and ended on")
    expect(outcome(keys, 'new', now + hour)).toBe('ci')
  })

  test('revoking ends both secrets at once, whatever the clock says', () => {
    const keys = [key({ previous: { digest: hashKey('old'), endsAt: now + hour }, revokedAt: now })]
    for (const secret of ['new', 'old']) {
      for (const at of [0, now + 2 * hour]) expect(outcome(keys, secret, at)).toStartWith("The key 'ci' was revoked on")
    }
  })
})

describe('stored documents', () => {
  test('one that cannot be read opens nothing and is told; the others are not held up', async () => {
    const rows = [
      row({ name: 'bad', digest: hashKey('bad'), document: { tokensPerMinute: 'many', colour: 'red' } }),
      row(),
    ]
    const { keys, warnings } = await readNamedKeys({
      list: async () => rows,
      get: async () => undefined,
      put: async () => undefined,
      delete: async () => false,
    })
    expect(outcome(keys, 'bad')).toStartWith('Access denied')
    expect(outcome(keys, 'new')).toBe('ci')
    expect(warnings).toEqual([
      'The stored key "bad" cannot be read and opens nothing (tokensPerMinute: got "many", expected a number; ' +
        'colour: unknown field, allowed are name, owner, deployments, tokensPerMinute, requestsPerMinute, budgets, ' +
        'expiresAt). Replace or delete it.',
    ])
  })
})
