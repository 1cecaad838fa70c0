import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { AuditView, NamedKeyView } from '../../api.ts'
import { type ControlFixture, credential, errorOf, planted, remote, startControl } from '../../control.fixture.ts'

type Page = { readonly value: readonly AuditView[]; readonly nextLink?: string }

describe('the audit log', () => {
  let control: ControlFixture
  beforeEach(async () => {
    control = await startControl()
  })
  afterEach(() => control.stop())

  const list = async (query = '') => (await control.send('GET', `/audit${query}`)).json<Page>()

  test('who, from where, what, before and after, for making, changing and removing', async () => {
    await control.send('PUT', '/deployments/gpt', { body: remote() })
    await control.send('PATCH', '/deployments/gpt', { body: { model: { name: 'gpt-4o-mini' } } })
    await control.send('DELETE', '/deployments/gpt')
    const { value } = await list()
    expect(value.map(({ action, status }) => [action, status])).toEqual([
      ['accounts/deployments/delete', 204],
      ['accounts/deployments/write', 200],
      ['accounts/deployments/write', 201],
    ])
    const [removed, changed, made] = value
    expect(made).toMatchObject({
      actor: { kind: 'operator' },
      address: '127.0.0.1',
      target: '/management/deployments/gpt',
      after: { name: 'gpt', model: { name: 'gpt-4o' } },
    })
    expect(made).not.toHaveProperty('before')
    expect(changed?.before).toEqual(made?.after)
    expect(changed?.after).toMatchObject({ model: { name: 'gpt-4o-mini' } })
    expect(removed?.before).toEqual(changed?.after)
    expect(removed).not.toHaveProperty('after')
  })

  test('what was refused is there with its code, and what was only tried out or read is not', async () => {
    await control.send('PUT', '/deployments/gpt', { body: { model: 5 } })
    await control.send('PUT', '/deployments/gpt?dryRun=true', { body: remote() })
    await control.send('GET', '/deployments')
    await control.send('DELETE', '/deployments/none')
    await control.send('PUT', '/deployments/gpt', { body: remote(), headers: { authorization: 'Bearer wrong' } })
    const { value } = await list()
    expect(value.map(({ target, status, code }) => [target, status, code])).toEqual([
      ['/management/deployments/none', 404, 'DeploymentNotFound'],
      ['/management/deployments/gpt', 400, 'InvalidRequest'],
    ])
  })

  test('no secret is kept: of keys that are shown or made, and of credentials', async () => {
    await control.send('GET', '/keys')
    await control.send('POST', '/keys/key1/regenerate')
    const named = (await control.send('PUT', '/named-keys/ci', { body: {} })).json<NamedKeyView>()
    await control.send('PUT', '/deployments/gpt', { body: remote({ credential: { value: planted } }) })
    const text = (await control.send('GET', '/audit')).text
    const { value } = await list()
    expect(value.map(({ action }) => action)).toEqual([
      'accounts/deployments/write',
      'accounts/namedKeys/write',
      'accounts/regenerateKey/action',
      'accounts/listKeys/action',
    ])
    for (const secret of [planted, credential, named.secret as string, 'new-', 'resource-key-one']) {
      expect(text).not.toContain(secret)
    }
    expect(value[1]?.after).toMatchObject({ name: 'ci' })
  })

  test('a verb has what it is done to before it; many items at once have no before; long texts are shortened', async () => {
    await control.send('PUT', '/deployments/gpt', { body: { ...remote(), sku: { name: 'Standard', capacity: 1 } } })
    await control.send('POST', '/deployments/gpt/pause')
    await control.send('PUT', '/rai-blocklists/words', { body: {} })
    await control.send('POST', '/rai-blocklists/words/items', { body: [{ pattern: 'x' }] })
    const song = 'la '.repeat(2_000)
    for (const end of ['a', 'b']) {
      const protectedTexts = [{ name: 'song', text: song + end }]
      await control.send('PUT', '/rai-policies/Strict', { body: { protectedTexts } })
    }
    const [changed, , added, , paused] = (await list()).value
    expect(paused).toMatchObject({ before: { name: 'gpt' }, after: { deploymentState: 'Paused' } })
    expect(added).not.toHaveProperty('before')
    expect(added?.after).toMatchObject({ added: 1, count: 1 })
    const textOf = (view: unknown) => (view as { protectedTexts: { text: string }[] }).protectedTexts[0]?.text
    expect(textOf(changed?.before)).toContain('(6001 characters, SHA-256 ')
    expect(textOf(changed?.before)).not.toBe(textOf(changed?.after))
    expect((await control.send('GET', '/audit')).text).not.toContain('la '.repeat(100))
  })

  test('keys that are shown are told of, also to who says that it is only a trial', async () => {
    await control.send('GET', '/keys?dryRun=true')
    await control.send('PUT', '/deployments/gpt?dryRun=true', { body: { model: 5 } })
    expect((await list()).value.map(({ action }) => action)).toEqual(['accounts/listKeys/action'])
  })

  test('pages and searches; a wrong question is told where', async () => {
    for (const name of ['aa', 'bb', 'cc']) await control.send('PUT', `/named-keys/${name}`, { body: {} })
    const first = await list('?top=2')
    expect(first.value.map(({ target }) => target)).toEqual(['/management/named-keys/cc', '/management/named-keys/bb'])
    const rest = (await control.send('GET', (first.nextLink as string).slice('/management'.length))).json<Page>()
    expect(rest.value.map(({ target }) => target)).toEqual(['/management/named-keys/aa'])
    expect(rest.nextLink).toBeUndefined()
    expect((await list('?action=accounts/namedKeys&target=/management/named-keys/b')).value).toHaveLength(1)
    expect((await list('?actor=nobody')).value).toEqual([])
    for (const [query, target] of [
      ['from=yesterday', 'from'],
      ['top=0', 'top'],
      ['after=x', 'after'],
      ['who=me', 'who'],
    ]) {
      const sent = await control.send('GET', `/audit?${query}`)
      expect([sent.status, errorOf(sent).target]).toEqual([400, target as string])
    }
  })

  test('a change that cannot be kept is made, and told to whoever writes the log', async () => {
    const { append } = control.tables.audit
    Object.assign(control.tables.audit, { append: () => Promise.reject(new Error('the disk is full')) })
    expect((await control.send('PUT', '/named-keys/ci', { body: {} })).status).toBe(201)
    expect(control.lost.map(({ target }) => target)).toEqual(['/management/named-keys/ci'])
    Object.assign(control.tables.audit, { append })
  })
})
