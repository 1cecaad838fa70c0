import { beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { RoleAssignment } from '../../../core/access/principal.ts'
import type { Fault } from '../../../core/fault.ts'
import { mayUse } from '../authorize.ts'
import { createAudienceJudge } from './audience.ts'
import { audience, makeIssuer, makeKey, sign, type TestIssuer, type TestKey, testNow } from './token.fixture.ts'
import { type Claims, createTokenDoor, type IdentityRules, type TokenDoor } from './token-door.ts'

let key: TestKey
let issuer: TestIssuer
let rules: IdentityRules
let seen: Claims[]
let door: TokenDoor

beforeAll(async () => {
  key = await makeKey('one')
})
beforeEach(() => {
  issuer = makeIssuer({ audiences: new Set(['api://ponto']) })
  issuer.publish(key)
  seen = []
  setRoles()
  door = createTokenDoor({
    rules: () => rules,
    judgeAudience: createAudienceJudge((name) => name === 'ponto.example'),
    onSeen: (claims) => seen.push(claims),
  })
})

function setRoles(...roles: readonly RoleAssignment[]): void {
  rules = { issuers: [issuer.trusted], rolesOf: () => roles }
}

const admit = (token: string, plane: 'data' | 'management' = 'data') => door.admit(token, plane, testNow)
const statusOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'let in',
    ({ status, message }: Fault) => `${status} ${message.slice(message.indexOf('expired. ') + 9)}`,
  )

describe('a token', () => {
  test('is verified once, and known until it expires', async () => {
    const token = await sign(key)
    expect(door.find(token, 'data', testNow)).toBeUndefined()
    const guest = await admit(token)
    expect(door.find(token, 'data', testNow)).toBe(guest)
    expect(await admit(token)).toBe(guest)
    expect(seen.map(({ id, issuer }) => [id, issuer])).toEqual([['oid-ada', 'test']])
    const end = testNow + 3_600_000 + 60_000
    expect(door.find(token, 'data', end - 1)).toBe(guest)
    expect(door.find(token, 'data', end)).toBeUndefined()
    expect(door.find(`${token}x`, 'data', testNow)).toBeUndefined()
  })

  test('is verified anew when everything was forgotten, and when its issuer is not trusted any more', async () => {
    const token = await sign(key)
    await admit(token)
    door.forget()
    expect(door.find(token, 'data', testNow)).toBeUndefined()
    await admit(token)
    rules = { issuers: [], rolesOf: () => [] }
    expect(door.find(token, 'data', testNow)).toBeUndefined()
    expect(await statusOf(admit(token))).toStartWith('401')
  })

  test('means what the rules say now, also where it is known', async () => {
    const token = await sign(key)
    const before = await admit(token)
    expect(before.principal.roles).toEqual([])
    setRoles({ role: 'Reader', scope: { kind: 'server' } })
    expect(door.find(token, 'data', testNow)?.principal.roles).toEqual([{ role: 'Reader', scope: { kind: 'server' } }])
  })

  test.each([
    ['https://cognitiveservices.azure.com', 'both'],
    ['https://cognitiveservices.azure.com/', 'both'],
    ['https://COGNITIVESERVICES.azure.com//', 'both'],
    ['https://ai.azure.com', 'both'],
    ['https://ml.azure.com', 'both'],
    ['api://ponto', 'both'],
    ['https://management.azure.com/', 'management'],
    ['https://management.core.windows.net/', 'management'],
    ['https://ponto.example:8443', 'management'],
    ['https://ponto.example:8443/', 'management'],
    ['https://ponto.example.evil.example', 'none'],
    ['https://ponto.example@evil.example', 'none'],
    ['https://ponto.example/path', 'none'],
    ['https://cognitiveservices.azure.com.evil.example', 'none'],
    ['https://graph.microsoft.com', 'none'],
    ['', 'none'],
  ])('for %s opens %s', async (aud, opens) => {
    const token = await sign(key, { aud })
    const isData = (await statusOf(admit(token))) === 'let in'
    const isManagement = (await statusOf(admit(token, 'management'))) === 'let in'
    expect([isData, isManagement]).toEqual([opens === 'both', opens !== 'none'])
    // Also when it is known from the other plane.
    expect(door.find(token, 'data', testNow) !== undefined).toBe(opens === 'both')
  })

  test('of several audiences one is enough', async () => {
    expect(await statusOf(admit(await sign(key, { aud: ['x', audience] })))).toBe('let in')
  })

  test('a wrong audience is told, with the one to ask for', async () => {
    expect(await statusOf(admit(await sign(key, { aud: 'https://graph.microsoft.com' })))).toBe(
      '401 It is for https://graph.microsoft.com; ask for the scope https://cognitiveservices.azure.com/.default.',
    )
    expect(await statusOf(admit(await sign(key, { aud: '<script>' })))).not.toContain('script')
  })
})

describe('as a caller', () => {
  const callerOf = async (resource: string, ...roles: readonly RoleAssignment[]) => {
    setRoles(...roles)
    return (await admit(await sign(key))).callerOf(resource)
  }

  test('is the same one each time, named as no key can be', async () => {
    const token = await sign(key)
    const guest = await admit(token)
    expect(guest.callerOf('')).toBe(guest.callerOf(''))
    expect(guest.callerOf('')).not.toBe(guest.callerOf('other'))
    expect(guest.callerOf('')).toMatchObject({ keyName: 'oid-ada@test', resource: '', principal: guest.principal })
  })

  test('sees what his roles of the data plane are on', async () => {
    const on = (deployment: string, resource = ''): RoleAssignment => ({
      role: 'Cognitive Services User',
      scope: { kind: 'deployment', resource, deployment },
    })
    const sees = async (...roles: readonly RoleAssignment[]) => {
      const caller = await callerOf('', ...roles)
      return ['a', 'B'].filter((name) => mayUse(caller, name)).join('')
    }
    expect(await sees()).toBe('')
    expect(await sees({ role: 'Owner', scope: { kind: 'server' } })).toBe('')
    expect(await sees(on('A'))).toBe('a')
    expect(await sees(on('a'), on('b'))).toBe('aB')
    expect(await sees(on('a', 'other'))).toBe('')
    expect(await sees(on('a'), { role: 'Cognitive Services User', scope: { kind: 'resource', resource: '' } })).toBe(
      'aB',
    )
    expect(await sees({ role: 'Cognitive Services OpenAI User', scope: { kind: 'server' } })).toBe('aB')
  })

  test('can be called to mind without his token, with the roles that he has now', async () => {
    await callerOf('')
    setRoles({ role: 'Cognitive Services User', scope: { kind: 'server' } })
    const caller = door.recall(seen[0] as Claims, 'r')
    expect(caller).toMatchObject({ keyName: 'oid-ada@test', resource: 'r' })
    expect(mayUse(caller, 'any')).toBe(true)
  })
})

test('no more tokens are known than fit: the oldest is verified anew', async () => {
  const small = createTokenDoor({ rules: () => rules, judgeAudience: () => true, onSeen: () => {}, maxTokens: 2 })
  const tokens = await Promise.all(['1', '2', '3'].map((jti) => sign(key, { jti })))
  for (const token of tokens) await small.admit(token, 'data', testNow)
  expect(tokens.map((token) => small.find(token, 'data', testNow) !== undefined)).toEqual([false, true, true])
})
