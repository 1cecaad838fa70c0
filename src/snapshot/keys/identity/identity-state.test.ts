import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ownerName } from '../../../core/access/principal.ts'
import { createSealer } from '../../../core/access/seal.ts'
import { makeIssuer } from '../../../policy/access/token/token.fixture.ts'
import type { Claims } from '../../../policy/access/token/token-door.ts'
import { verifyToken } from '../../../policy/access/token/verify-token.ts'
import { openSqliteTables } from '../../../port/tables/adapters/sqlite/open-sqlite-tables.ts'
import type { Tables } from '../../../port/tables/port.ts'
import { readIdentity } from '../../file/identity-section.ts'
import { type IdentityState, openIdentityState } from './identity-state.ts'
import { type OwnIssuer, openOwnIssuer } from './own-issuer.ts'

const dayMs = 24 * 3_600_000
const sealer = createSealer(new Uint8Array(32).fill(7))
let folder: string
let tables: Tables
let now: number
let problems: string[]
let resources: string[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ponto-identity-'))
  tables = await openSqliteTables(join(folder, 'ponto.db'))
  now = Date.now()
  problems = []
  resources = []
})
afterEach(async () => {
  await tables.close()
  rmSync(folder, { recursive: true, force: true })
})

const openState = (): Promise<IdentityState> =>
  openIdentityState({
    table: tables.identity,
    own: makeIssuer({ id: 'ponto' }).trusted,
    trust: (spec) => makeIssuer({ id: spec.name }).trusted,
    findResource: (name) => (resources.includes(name) ? `id of ${name}` : undefined),
    onProblem: (message) => problems.push(message),
    now: () => now,
  })
const openIssuer = (): Promise<OwnIssuer> =>
  openOwnIssuer({ table: tables.identity, sealer, onKeysChanged: () => {}, onProblem: () => {}, now: () => now })

const declared = (assignments: object[], more: object = {}) =>
  readIdentity({ identity: { issuers: [{ name: 'corp', issuer: 'https://corp.example', assignments, ...more }] } })
    .identity
const claims: Claims = { issuer: 'corp.example', id: 'ada', name: 'ada', appId: undefined, roles: [], groups: [] }

test('an issuer whose description has not changed keeps its keys; one that has is another', async () => {
  const state = await openState()
  const issuers = () => state.rules().issuers.map((one) => one)
  state.declare(declared([]))
  const [, first] = issuers()
  state.declare(declared([{ principal: 'ada', role: 'Reader' }]))
  expect(issuers()[1]).toBe(first as never)
  state.declare(declared([], { audiences: ['x'] }))
  expect(issuers()[1]).not.toBe(first as never)
})

test('roles on a resource hold as soon as it is there, and it is told that it is not', async () => {
  const state = await openState()
  state.declare(declared([{ principal: 'ada', role: 'Reader', resource: 'contoso' }]))
  expect([state.rules().rolesOf(claims), problems.length]).toEqual([[], 1])
  resources.push('contoso')
  state.refresh()
  expect(state.rules().rolesOf(claims)).toEqual([
    { role: 'Reader', scope: { kind: 'resource', resource: 'id of contoso' } },
  ])
  resources.pop()
  state.refresh()
  expect(state.rules().rolesOf(claims)).toEqual([])
})

test('whom a token named is known after a restart, and forgotten when that is long ago', async () => {
  const state = await openState()
  state.noteSeen({ ...claims, groups: ['g'], appId: 'app' })
  await Bun.sleep(0)
  while ((await tables.identity.listSeen()).length === 0) await Bun.sleep(5)
  const again = await openState()
  expect(again.findSeen(ownerName(claims))).toEqual({ ...claims, groups: ['g'], appId: 'app' })
  expect(again.findSeen('other@corp.example')).toBeUndefined()
  now += 9 * dayMs
  expect(again.findSeen(ownerName(claims))).toBeUndefined()
})

test('a role that nobody knows opens nothing', async () => {
  await tables.identity.putAssignment({
    id: '1',
    principal: 'ada',
    kind: 'principal',
    issuer: 'corp.example',
    role: 'Emperor',
    scope: { kind: 'server' },
    createdAt: 1,
  })
  await tables.identity.putAssignment({
    id: '2',
    principal: 'ada',
    kind: 'principal',
    issuer: 'corp.example',
    role: 'Reader',
    scope: { kind: 'world' },
    createdAt: 1,
  })
  expect((await openState()).rules().rolesOf(claims)).toEqual([])
})

const principal = {
  name: 'ci',
  appId: 'app',
  objectId: 'oid',
  digest: '',
  endsAt: undefined,
  previous: undefined,
  etag: '',
  createdAt: 0,
  updatedAt: 0,
}
const audience = 'https://ai.azure.com'

test('servers that share tables sign with one key under one tenant, and verify each other', async () => {
  const [one, other] = [await openIssuer(), await openIssuer()]
  expect(one.tenant).toBe(other.tenant)
  const signed = await one.sign(principal, audience, 'https://a.example')
  expect((await verifyToken(signed.token, [other.trusted], now)).id).toBe('oid')
  expect(
    (await verifyToken((await other.sign(principal, audience, 'https://b.example:1')).token, [one.trusted], now)).id,
  ).toBe('oid')
  expect(await tables.identity.listSigningKeys()).toHaveLength(1)
})

test('a key signs for thirty days and verifies for one more; what is stored of it is sealed', async () => {
  const issuer = await openIssuer()
  const { token } = await issuer.sign(principal, audience, 'https://a.example')
  const [first] = await tables.identity.listSigningKeys()
  expect(first?.sealed).toStartWith('v1.')
  expect(JSON.stringify(first?.publicKey)).not.toContain('"d"')
  now += 30 * dayMs + 3_600_000
  const { token: later } = await issuer.sign(principal, audience, 'https://a.example')
  expect((await tables.identity.listSigningKeys()).map(({ kid }) => kid)).toContain(first?.kid as string)
  expect((await verifyToken(later, [issuer.trusted], now)).id).toBe('oid')
  await expect(verifyToken(token, [issuer.trusted], now)).rejects.toThrow('It expired')
  now += 30 * dayMs + 3_600_000
  await issuer.sign(principal, audience, 'https://a.example')
  expect((await tables.identity.listSigningKeys()).map(({ kid }) => kid)).not.toContain(first?.kid as string)
})

test('a token of another server is none of ours', async () => {
  const issuer = await openIssuer()
  const { token } = await issuer.sign(principal, audience, 'https://a.example')
  const elsewhere = await openSqliteTables(join(folder, 'other.db'))
  try {
    const other = await openOwnIssuer({
      table: elsewhere.identity,
      sealer,
      onKeysChanged: () => {},
      onProblem: () => {},
      now: () => now,
    })
    await expect(verifyToken(token, [other.trusted], now)).rejects.toThrow('none that this server trusts')
  } finally {
    await elsewhere.close()
  }
})
