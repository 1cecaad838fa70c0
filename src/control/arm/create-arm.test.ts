import { afterEach, describe, expect, test } from 'bun:test'
import type { Principal } from '../../core/access/principal.ts'
import type { RoleName } from '../../core/access/role-table.ts'
import { Fault } from '../../core/fault.ts'
import { type ArmFixture, codeOf, messageOf, startArm, subscription } from './arm.fixture.ts'
import { isArmPath } from './create-arm.ts'
import { apiVersions } from './http/api-versions.ts'

let arm: ArmFixture
afterEach(() => arm.stop())

const accounts = '/providers/Microsoft.CognitiveServices/accounts'
const account = '/resourceGroups/default/providers/Microsoft.CognitiveServices/accounts/main'
const model = { format: 'Ponto', name: 'builtin-nano', version: '1' }

describe('versions', () => {
  test('each that is listed is answered, and others are refused with those there are', async () => {
    arm = await startArm()
    expect(apiVersions).toHaveLength(22)
    for (const version of apiVersions) {
      const { status } = await arm.send('GET', accounts, undefined, { version: version.toUpperCase() })
      expect([version, status]).toEqual([version, 200])
    }
    for (const version of ['2099-01-01', '2025-09-01-preview', 'latest', '2025-09-01;']) {
      const refused = await arm.send('GET', accounts, undefined, { version })
      expect([refused.status, codeOf(refused)]).toEqual([400, 'InvalidApiVersionParameter'])
      for (const known of apiVersions) expect(messageOf(refused)).toContain(known)
    }
    expect(codeOf(await arm.send('GET', accounts, undefined, { version: '' }))).toBe('MissingApiVersionParameter')
  })

  test('what is not the provider takes any date', async () => {
    arm = await startArm()
    expect((await arm.send('GET', '/resourcegroups', undefined, { version: '2016-06-01' })).status).toBe(200)
    expect(codeOf(await arm.send('GET', '/resourcegroups', undefined, { version: 'x' }))).toBe(
      'InvalidApiVersionParameter',
    )
    expect(codeOf(await arm.send('GET', '/resourcegroups', undefined, { version: '' }))).toBe(
      'MissingApiVersionParameter',
    )
  })
})

describe('ways that lead nowhere', () => {
  test.each([
    ['GET', '/nothing', 404, 'InvalidResourceType'],
    ['GET', '/providers/Microsoft.Storage/storageAccounts', 404, 'InvalidResourceType'],
    ['GET', `${account}/deployments/x/y/z`, 404, 'InvalidResourceType'],
    ['GET', `${account}/projects`, 404, 'InvalidResourceType'],
    ['PUT', accounts, 405, 'MethodNotAllowed'],
    ['OPTIONS', accounts, 405, 'MethodNotAllowed'],
    ['GET', '//subscriptions/mine/resourcegroups', 400, 'InvalidSubscriptionId'],
    ['GET', '/resourceGroups/%ff/providers/Microsoft.CognitiveServices/accounts/x', 404, 'ResourceGroupNotFound'],
  ])('%s %s', async (method, path, status, code) => {
    arm = await startArm()
    const refused = await arm.send(method, path)
    expect([refused.status, codeOf(refused)]).toEqual([status, code])
    expect(refused.headers.get('x-ms-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    if (status === 405) expect(refused.headers.get('allow')).toBe('GET')
  })

  test.each([
    ['PUT', `${account}/deployments/chat`, 'nothing', 'InvalidRequestContent'],
    ['PUT', `${account}/deployments/chat`, '[]', 'InvalidRequestContent'],
    ['PUT', `${account}/deployments/chat`, '{"properties":{"model":null}}', 'InvalidResourceProperties'],
    ['POST', `${account}/raiBlocklists/x/addRaiBlocklistItems`, '{}', 'InvalidRequestContent'],
  ])('%s %s %s', async (method, path, body, code) => {
    arm = await startArm()
    const refused = await arm.send(method, path, body)
    expect([refused.status, codeOf(refused)]).toEqual([400, code])
  })

  test('which paths are of this API', async () => {
    arm = await startArm()
    for (const path of ['/subscriptions', '/SUBSCRIPTIONS/x', '/providers', '/providers/Microsoft.X/y', '/tenants'])
      expect(isArmPath(path)).toBe(true)
    for (const path of ['/', '/subscription', '/models', '/openai/subscriptions', '/providers/a', '/tenantsx'])
      expect(isArmPath(path)).toBe(false)
  })
})

describe('who asks', () => {
  const principal = (role: RoleName, scope: Principal['roles'][number]['scope']): Principal => ({
    kind: 'token',
    id: `id-${role}`,
    name: role,
    issuer: 'https://issuer.example',
    roles: [{ role, scope }],
  })

  test('nobody is told where tokens come from, and learns nothing else', async () => {
    arm = await startArm()
    arm.actAs(undefined)
    for (const { method, path } of arm.routes) {
      const refused = await arm.send(
        method,
        `/${path.replace('{subscription}', subscription).replaceAll(/\{\w+\}/g, 'xx')}`,
        {},
      )
      expect([method, path, refused.status]).toEqual([method, path, 401])
      expect(refused.headers.get('www-authenticate')).toStartWith('Bearer authorization_uri="https://localhost:8443/')
    }
    expect(arm.routes.length).toBeGreaterThan(75)
  })

  test('a reader reads and changes nothing; the refusal names the action', async () => {
    arm = await startArm()
    arm.actAs(principal('Reader', { kind: 'server' }))
    expect((await arm.send('GET', account)).status).toBe(200)
    for (const [method, path, body, action] of [
      ['PUT', `${account}/deployments/chat`, { properties: { model } }, 'accounts/deployments/write'],
      ['DELETE', account, undefined, 'accounts/delete'],
      ['POST', `${account}/listKeys`, undefined, 'accounts/listKeys/action'],
      ['PUT', `${account}/raiPolicies/x`, { properties: {} }, 'accounts/raiPolicies/write'],
    ] as const) {
      const refused = await arm.send(method, path, body)
      expect([refused.status, codeOf(refused)]).toEqual([403, 'AuthorizationFailed'])
      expect(messageOf(refused)).toContain(`Microsoft.CognitiveServices/${action}`)
    }
  })

  test('a role on one account ends there, and lets its holder follow what he began', async () => {
    arm = await startArm({ settleMs: 0 })
    const id = arm.accounts.own().id
    arm.actAs(principal('Cognitive Services Contributor', { kind: 'resource', resource: id }))
    const made = await arm.send('PUT', `${account}/deployments/chat`, { properties: { model } })
    expect((await arm.settle(made)).body.status).toBe('Succeeded')
    expect((await arm.send('GET', account.replace('main', 'other'))).status).toBe(403)
    expect((await arm.send('PUT', '/resourcegroups/team', { location: 'x' })).status).toBe(403)
    arm.actAs(principal('Reader', { kind: 'deployment', resource: id, deployment: 'chat' }))
    expect((await arm.send('GET', `${account}/deployments/CHAT`)).status).toBe(200)
    expect((await arm.send('GET', `${account}/deployments`)).status).toBe(403)
  })
})

describe('operations', () => {
  const put = (name: string) => arm.send('PUT', `${account}/deployments/${name}`, { properties: { model } })
  const statusPath = (link: string | null) => `/${new URL(link ?? '').pathname}`

  test('that take long go on after the answer, and are asked for until they have ended', async () => {
    let release = () => {}
    const held = new Promise<void>((done) => {
      release = done
    })
    arm = await startArm({
      settleMs: 1,
      tables: (tables) => ({ ...tables, of: tables.of, putDeployment: hold(tables.putDeployment, held) }),
    })
    const made = await put('chat')
    expect([made.status, made.body]).toEqual([
      201,
      {
        id: `/subscriptions/${subscription}${account}/deployments/chat`,
        name: 'chat',
        properties: { provisioningState: 'Creating' },
      },
    ])
    const path = statusPath(made.headers.get('azure-asyncoperation'))
    const running = await arm.send('GET', path)
    expect([running.body.status, running.headers.get('retry-after')]).toEqual(['InProgress', '1'])
    release()
    expect((await arm.settle(made)).body).toMatchObject({ status: 'Succeeded', endTime: expect.any(String) })
    expect((await arm.send('GET', `${account}/deployments/chat`)).status).toBe(200)
  })

  test('that fail after the answer say why', async () => {
    const failure = new Fault('conflict', 'Somebody else was faster.')
    arm = await startArm({
      settleMs: 1,
      tables: (tables) => ({ ...tables, putDeployment: () => Bun.sleep(30).then(() => Promise.reject(failure)) }),
    })
    const made = await put('chat')
    expect(made.status).toBe(201)
    const { body } = await arm.settle(made)
    expect(body).toMatchObject({ status: 'Failed', error: { code: 'Conflict', message: 'Somebody else was faster.' } })
    expect(arm.faults.map(({ message }) => message)).toContain('Somebody else was faster.')
  })

  test('of a process that is gone are told by what there is now', async () => {
    let time = Date.now()
    arm = await startArm({ now: () => time })
    const ticket = (verb: string, name: string) => {
      const target = Buffer.from(`/subscriptions/${subscription}${account}/deployments/${name}`).toString('base64url')
      return `/providers/Microsoft.CognitiveServices/locations/x/operationStatuses/${verb}.${time.toString(36)}.abcdefghijkl.${target}`
    }
    await put('chat')
    const stateOf = async (verb: string, name: string) => (await arm.send('GET', ticket(verb, name))).body.status
    expect([await stateOf('create', 'chat'), await stateOf('delete', 'gone')]).toEqual(['Succeeded', 'Succeeded'])
    const lost = [ticket('create', 'gone'), ticket('delete', 'chat')] as const
    for (const path of lost) expect((await arm.send('GET', path)).body.status).toBe('InProgress')
    time += 61_000
    for (const path of lost) {
      expect((await arm.send('GET', path)).body).toMatchObject({
        status: 'Failed',
        error: { code: 'OperationInterrupted' },
      })
    }
    const result = await arm.send('GET', lost[0].replace('operationStatuses', 'operationResults'))
    expect([result.status, codeOf(result)]).toEqual([500, 'OperationInterrupted'])
  })

  test('that are none, or about what one may not see', async () => {
    arm = await startArm()
    const path = '/providers/Microsoft.CognitiveServices/locations/x/operationStatuses'
    for (const id of ['x', 'create.zz.abcdefghijkl.', `create.1.abcdefghijkl.${'A'.repeat(5000)}`]) {
      expect(codeOf(await arm.send('GET', `${path}/${id}`))).toBe('OperationNotFound')
    }
    const made = await put('chat')
    arm.actAs({ kind: 'token', id: 'stranger', name: 'stranger', issuer: undefined, roles: [] })
    expect((await arm.send('GET', statusPath(made.headers.get('azure-asyncoperation')))).status).toBe(403)
  })
})

test('every change is in the audit log, with what was there before', async () => {
  arm = await startArm()
  const path = `/subscriptions/${subscription}${account}/deployments/chat`
  await arm.send('PUT', `${account}/deployments/chat`, { properties: { model } })
  await arm.send('PUT', `${account}/deployments/chat`, {
    sku: { name: 'Standard', capacity: 2 },
    properties: { model },
  })
  await arm.send('DELETE', `${account}/deployments/chat`)
  await arm.send('GET', account)
  await arm.send('POST', `${account}/listKeys`)
  const rows = await arm.tables.audit.list({ limit: 10 } as Parameters<typeof arm.tables.audit.list>[0])
  const told = rows.toReversed().map(({ action, target, status, before, after }) => ({
    action,
    target,
    status,
    hasBefore: before !== undefined,
    hasAfter: after !== undefined,
  }))
  expect(told).toEqual([
    { action: 'accounts/deployments/write', target: path, status: 201, hasBefore: false, hasAfter: true },
    { action: 'accounts/deployments/write', target: path, status: 200, hasBefore: true, hasAfter: true },
    { action: 'accounts/deployments/delete', target: path, status: 202, hasBefore: true, hasAfter: false },
    {
      action: 'accounts/listKeys/action',
      target: expect.stringMatching(/listKeys$/),
      status: 200,
      hasBefore: false,
      hasAfter: false,
    },
  ])
})

function hold<A extends readonly unknown[], R>(run: (...args: A) => Promise<R>, until: Promise<void>) {
  return (...args: A) => until.then(() => run(...args))
}
