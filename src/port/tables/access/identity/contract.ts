import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { TablesFixture } from '../../contract.ts'
import type { IdentityTable, RoleAssignmentRow, ServicePrincipalRow } from './port.ts'

const time = 1_790_000_000_123

function make(name: string, more: Partial<ServicePrincipalRow> = {}): Omit<ServicePrincipalRow, 'etag'> {
  return {
    name,
    appId: `app of ${name}`,
    objectId: `object of ${name}`,
    digest: `digest of ${name}`,
    endsAt: undefined,
    previous: undefined,
    createdAt: time,
    updatedAt: time,
    ...more,
  }
}

function assign(id: string, more: Partial<RoleAssignmentRow> = {}): RoleAssignmentRow {
  return {
    id,
    principal: 'p',
    kind: 'principal',
    issuer: 'i',
    role: 'Reader',
    scope: { kind: 'server' },
    createdAt: time,
    ...more,
  }
}

/** What every adapter does with principals, roles and signing keys. `open` makes an empty store. */
export function describeIdentityContract(adapter: string, open: () => Promise<TablesFixture>): void {
  describe(`tables port, identity: ${adapter}`, () => {
    let fixture: TablesFixture
    let table: IdentityTable

    beforeEach(async () => {
      fixture = await open()
      table = fixture.tables.identity
    })
    afterEach(() => fixture.remove())

    test('begins empty', async () => {
      const all = [table.listPrincipals(), table.listAssignments(), table.listSigningKeys(), table.listSeen()]
      expect(await Promise.all<unknown>(all)).toEqual([[], [], [], []])
      expect(await table.getPrincipal('ci')).toBeUndefined()
      expect(await table.putPrincipal(make('ci'), 'some')).toBeUndefined()
      expect(await table.deletePrincipal('ci', 'some')).toBe(false)
      expect(await table.deleteAssignment('a')).toBe(false)
    })

    test('a principal comes back as it was, is found in any case, and keeps its identifiers', async () => {
      const full = make('CI', { endsAt: time + 1, previous: { digest: 'old', endsAt: time + 2 } })
      const first = await table.putPrincipal(full, null)
      expect(first).toEqual({ ...full, etag: expect.any(String) })
      const change = make('ci', { digest: 'new', appId: 'other', objectId: 'other', createdAt: 1, updatedAt: time + 9 })
      const second = await table.putPrincipal(change, first?.etag as string)
      expect(second).toEqual({
        ...full,
        digest: 'new',
        endsAt: undefined,
        previous: undefined,
        updatedAt: time + 9,
        etag: expect.any(String),
      })
      expect(await table.getPrincipal('cI')).toEqual(second)
      expect(await table.putPrincipal(change, first?.etag as string)).toBeUndefined()
      expect(await table.putPrincipal(change, null)).toBeUndefined()
      expect(await table.deletePrincipal('CI', first?.etag as string)).toBe(false)
      expect(await table.deletePrincipal('Ci', second?.etag as string)).toBe(true)
      expect(await table.listPrincipals()).toEqual([])
    })

    test('of those who race to make a principal one wins; they are listed by name', async () => {
      const race = await Promise.all(
        Array.from({ length: 8 }, (_, i) => table.putPrincipal(make('b', { digest: `${i}` }), null)),
      )
      expect(race.filter((row) => row !== undefined)).toHaveLength(1)
      await table.putPrincipal(make('C'), null)
      await table.putPrincipal(make('a'), null)
      expect((await table.listPrincipals()).map(({ name }) => name)).toEqual(['a', 'b', 'C'])
    })

    test('assignments are listed by time, replaced by their id, and deleted once', async () => {
      const scope = { kind: 'deployment', resource: '', deployment: `Größe ${'\u0000'}` }
      await table.putAssignment(assign('b', { createdAt: time + 1 }))
      await table.putAssignment(assign('a', { scope }))
      await table.putAssignment(assign('b', { createdAt: time + 1, role: 'Owner', kind: 'group' }))
      expect(await table.listAssignments()).toEqual([
        assign('a', { scope }),
        assign('b', { createdAt: time + 1, role: 'Owner', kind: 'group' }),
      ])
      expect(await table.deleteAssignment('a')).toBe(true)
      expect(await table.deleteAssignment('a')).toBe(false)
      expect(await table.listAssignments()).toHaveLength(1)
    })

    test('signing keys are listed the newest first, and old ones go', async () => {
      for (const [kid, createdAt] of [
        ['one', 1],
        ['three', 3],
        ['two', 2],
      ] as const) {
        await table.addSigningKey({ kid, sealed: `sealed ${kid}`, publicKey: { kty: 'RSA' }, createdAt })
      }
      expect((await table.listSigningKeys()).map(({ kid }) => kid)).toEqual(['three', 'two', 'one'])
      await table.deleteSigningKeys(3)
      expect(await table.listSigningKeys()).toEqual([
        { kid: 'three', sealed: 'sealed three', publicKey: { kty: 'RSA' }, createdAt: 3 },
      ])
    })

    test('whom a token named is known until nobody has seen him for long', async () => {
      await table.putSeen({ owner: 'a', claims: { id: '1' }, seenAt: 1 })
      await table.putSeen({ owner: 'b', claims: { id: '2' }, seenAt: 2 })
      await table.putSeen({ owner: 'a', claims: { id: '1', groups: ['x'] }, seenAt: time })
      await table.deleteSeen(3)
      expect(await table.listSeen()).toEqual([{ owner: 'a', claims: { id: '1', groups: ['x'] }, seenAt: time }])
    })

    test('of those who settle something at once all get the same, also after reopening', async () => {
      const values = await Promise.all(Array.from({ length: 8 }, (_, i) => table.settle('tenant', `v${i}`)))
      expect(new Set(values).size).toBe(1)
      table = (await fixture.reopen()).identity
      expect(await table.settle('tenant', 'later')).toBe(values[0] as string)
    })

    test('what is stored is data, not SQL', async () => {
      const odd = "x'); drop table service_principal; --"
      await table.putPrincipal(make(odd), null)
      await table.putAssignment(assign(odd, { principal: odd }))
      expect((await table.getPrincipal(odd))?.name).toBe(odd)
      expect((await table.listAssignments())[0]?.principal).toBe(odd)
    })
  })
}
