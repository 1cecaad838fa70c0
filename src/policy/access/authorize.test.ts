import { describe, expect, test } from 'bun:test'
import { inferenceAction } from '../../core/access/data-actions.ts'
import { type AccessScope, operator, type Principal } from '../../core/access/principal.ts'
import { findRole, type RoleName, roleNames, roleTable } from '../../core/access/role-table.ts'
import { Fault } from '../../core/fault.ts'
import { authorizeAction, authorizeDataAction, isAllowed, type Plane, roleAllows } from './authorize.ts'

const server: AccessScope = { kind: 'server' }
const resource: AccessScope = { kind: 'resource', resource: 'r' }
const deployment: AccessScope = { kind: 'deployment', resource: 'r', deployment: 'gpt-4o' }

const holder = (role: RoleName, scope: AccessScope): Principal => ({
  kind: 'token',
  id: 'oid-1',
  name: 'ada',
  issuer: 'i',
  roles: [{ role, scope }],
})

const full = (action: string) => `Microsoft.CognitiveServices/${action}`
const openai = 'accounts/OpenAI/'

/** Of each role some of what it may and may not: what the sources say in words. */
const cases: readonly (readonly [RoleName, Plane, may: readonly string[], mayNot: readonly string[]])[] = [
  [
    'Owner',
    'management',
    ['accounts/write', 'accounts/listKeys/action', 'quotas/write', 'Microsoft.Authorization/roleAssignments/write'],
    [],
  ],
  ['Owner', 'data', [], [`${openai}deployments/chat/completions/action`, `${openai}files/read`]],
  [
    'Contributor',
    'management',
    [
      'accounts/write',
      'accounts/listKeys/action',
      'accounts/deployments/delete',
      'Microsoft.Authorization/roleAssignments/read',
    ],
    [
      'Microsoft.Authorization/roleAssignments/write',
      'Microsoft.Authorization/roleAssignments/delete',
      'Microsoft.Authorization/servicePrincipals/rotate/action',
      'Microsoft.Authorization/servicePrincipals/token/action',
    ],
  ],
  ['Contributor', 'data', [], [`${openai}deployments/chat/completions/action`]],
  [
    'Reader',
    'management',
    ['accounts/read', 'accounts/deployments/read', 'Microsoft.Insights/logs/read'],
    [
      'accounts/write',
      'accounts/listKeys/action',
      'accounts/deployments/probe/action',
      'Microsoft.Insights/logs/content/action',
    ],
  ],
  [
    'Cognitive Services Contributor',
    'management',
    [
      'accounts/write',
      'accounts/listKeys/action',
      'accounts/regenerateKey/action',
      'accounts/raiPolicies/write',
      'quotas/read',
    ],
    ['quotas/write', 'quotas/delete', 'Microsoft.Authorization/roleAssignments/write', 'Microsoft.Insights/logs/read'],
  ],
  ['Cognitive Services Contributor', 'data', [], [`${openai}deployments/chat/completions/action`]],
  [
    'Cognitive Services User',
    'management',
    ['accounts/read', 'accounts/deployments/read'],
    ['accounts/listKeys/action', 'accounts/deployments/write'],
  ],
  [
    'Cognitive Services User',
    'data',
    [
      `${openai}deployments/chat/completions/action`,
      'accounts/MaaS/deployments/chat/completions/action',
      'accounts/ContentSafety/text:analyze/action',
      `${openai}stored-completions/read`,
    ],
    [],
  ],
  [
    'Cognitive Services OpenAI Contributor',
    'management',
    ['accounts/deployments/write', 'accounts/deployments/delete', 'accounts/raiPolicies/write', 'accounts/read'],
    ['accounts/listKeys/action', 'accounts/write', 'quotas/write', 'accounts/deployments/pause/action'],
  ],
  [
    'Cognitive Services OpenAI Contributor',
    'data',
    [`${openai}files/write`, `${openai}batch-jobs/write`, `${openai}stored-completions/read`],
    ['accounts/MaaS/deployments/chat/completions/action', 'accounts/ContentSafety/text:analyze/action'],
  ],
  [
    'Cognitive Services OpenAI User',
    'data',
    [
      `${openai}deployments/chat/completions/action`,
      `${openai}files/read`,
      `${openai}images/generations/action`,
      `${openai}deployments/audio/action`,
    ],
    [
      `${openai}files/write`,
      `${openai}stored-completions/read`,
      `${openai}batch-jobs/write`,
      'accounts/MaaS/deployments/chat/completions/action',
    ],
  ],
  [
    'Cognitive Services OpenAI User',
    'management',
    ['accounts/read'],
    ['accounts/deployments/write', 'accounts/listKeys/action'],
  ],
]

describe('the roles', () => {
  test.each(cases)('%s, %s', (role, plane, may, mayNot) => {
    const name = (action: string) => (action.startsWith('Microsoft.') ? action : full(action))
    expect(may.filter((action) => !roleAllows(role, plane, name(action)))).toEqual([])
    expect(mayNot.filter((action) => roleAllows(role, plane, name(action)))).toEqual([])
  })

  test('no role allows what is no action of ours, and none allows nothing at all', () => {
    for (const role of roleNames) {
      for (const odd of [
        '',
        '/',
        'accounts',
        'Microsoft.CognitiveServices',
        `x${full('accounts/read')}`,
        `${full('accounts/read')}\n`,
      ]) {
        if (['Owner', 'Contributor', 'Reader'].includes(role)) expect(roleAllows(role, 'data', odd)).toBe(false)
        else expect(roleAllows(role, 'management', odd), `${role} ${JSON.stringify(odd)}`).toBe(false)
      }
    }
  })

  test('are found by name in any case and by identifier, and have one each', () => {
    expect(findRole('cognitive services openai USER')).toBe('Cognitive Services OpenAI User')
    expect(findRole('5E0BD9BD-7b93-4f28-af87-19fc36ad61bd')).toBe('Cognitive Services OpenAI User')
    for (const odd of ['', 'constructor', '__proto__', 'Owner ']) expect(findRole(odd)).toBeUndefined()
    expect(new Set(roleNames.map((name) => roleTable[name].id)).size).toBe(roleNames.length)
  })

  test('models of OpenAI and those of others are different things', () => {
    expect(inferenceAction('chat', 'OpenAI')).toBe(full('accounts/OpenAI/deployments/chat/completions/action'))
    expect(inferenceAction('chat', 'Mistral AI')).toBe(full('accounts/MaaS/deployments/chat/completions/action'))
  })
})

describe('where a role holds', () => {
  const action = full('accounts/deployments/read')
  const on = (held: AccessScope, asked: AccessScope) => isAllowed(holder('Reader', held), 'management', action, asked)

  test('there and below, and nowhere else', () => {
    const other: AccessScope = { kind: 'resource', resource: 'other' }
    const sibling: AccessScope = { ...deployment, deployment: 'gpt-4' }
    expect([server, resource, deployment, other].map((asked) => on(server, asked))).toEqual([true, true, true, true])
    expect([server, resource, deployment, other, sibling].map((asked) => on(resource, asked))).toEqual([
      false,
      true,
      true,
      false,
      true,
    ])
    expect([server, resource, deployment, other, sibling].map((asked) => on(deployment, asked))).toEqual([
      false,
      false,
      true,
      false,
      false,
    ])
    expect(on(deployment, { ...deployment, deployment: 'GPT-4O' })).toBe(true)
    expect(on(deployment, { ...deployment, resource: 'other' })).toBe(false)
  })

  test("the server's own resource is one like any other", () => {
    const own: AccessScope = { kind: 'resource', resource: '' }
    expect([server, own, resource].map((asked) => on(own, asked))).toEqual([false, true, false])
  })

  test('nobody without a role may do anything', () => {
    const nobody: Principal = { ...holder('Owner', server), roles: [] }
    expect(isAllowed(nobody, 'management', full('accounts/read'), server)).toBe(false)
    expect(isAllowed(nobody, 'data', full('accounts/OpenAI/files/read'), resource)).toBe(false)
  })
})

describe('a refusal names what is missing', () => {
  const refusal = (run: () => void): Fault => {
    try {
      run()
    } catch (error) {
      return error as Fault
    }
    throw new Error('it was allowed')
  }

  test('of management: 403 AuthorizationFailed', () => {
    const { status, detail, message } = refusal(() =>
      authorizeAction(holder('Reader', server), 'accounts/deployments/write', deployment),
    )
    expect([status, detail.vendorCode]).toEqual([403, 'AuthorizationFailed'])
    expect(message).toContain("'Microsoft.CognitiveServices/accounts/deployments/write'")
    expect(message).toContain("the deployment 'gpt-4o'")
    expect(message).toContain('oid-1')
    expect(() => authorizeAction(operator, 'accounts/deployments/write', server)).not.toThrow()
  })

  test('of the data plane: 401 PermissionDenied; a key needs no role', () => {
    const grant = { deployments: undefined, tokensPerMinute: undefined, requestsPerMinute: undefined, budgets: [] }
    const caller = { keyName: 'k', grant, expiresAt: undefined }
    const action = inferenceAction('chat', 'OpenAI')
    const principal = holder('Owner', server)
    const { status, detail, message } = refusal(() =>
      authorizeDataAction({ ...caller, principal }, action, resource, 'POST /x'),
    )
    expect([status, detail.vendorCode]).toEqual([401, 'PermissionDenied'])
    expect(message).toContain(`lacks the required data action \`${action}\` to perform \`POST /x\``)
    expect(() => authorizeDataAction(caller, action, resource, 'POST /x')).not.toThrow()
    expect(
      refusal(() => authorizeDataAction({ ...caller, principal: { ...operator } }, action, server, '')),
    ).toBeInstanceOf(Fault)
  })
})
