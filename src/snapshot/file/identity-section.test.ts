import { expect, test } from 'bun:test'
import { formatProblem } from '../../core/text/parse-document.ts'
import { issuerKey, readIdentity } from './identity-section.ts'

const tenant = '11111111-2222-3333-4444-555555555555'
const issuer = { name: 'corp', issuer: 'https://login.corp.example/realms/a' }
const problemsOf = (value: object) => readIdentity(value).problems.map(formatProblem)

test('nothing said trusts nobody but the server itself, and lets everybody reach management', () => {
  expect(readIdentity({})).toEqual({
    identity: { issuers: [], trustedProxies: [], managementNetwork: {} },
    problems: [],
  })
})

test('everything said is read', () => {
  const { identity, problems } = readIdentity({
    identity: {
      issuers: [
        { name: 'entra', tenant: tenant.toUpperCase(), assignments: [{ group: 'g', role: 'cognitive services user' }] },
        {
          ...issuer,
          jwksUri: 'https://keys.corp.example/jwks',
          audiences: ['api://ponto'],
          algorithms: ['ES256'],
          clockSkewSeconds: 0,
          claims: { id: 'email', roles: 'ponto_roles' },
          assignments: [
            { principal: 'ada', role: 'Owner' },
            { claimedRole: 'reader', role: 'acdd72a7-3385-48ef-bd42-f606fba81ae7', resource: 'r', deployment: 'd' },
          ],
        },
      ],
    },
    network: {
      trustedProxies: ['10.0.0.0/8'],
      management: { networkAcls: { defaultAction: 'Deny', ipRules: [{ value: '::1' }] } },
    },
  })
  expect(problems).toEqual([])
  expect(identity.issuers[0]).toMatchObject({ tenant, assignments: [{ group: 'g', role: 'Cognitive Services User' }] })
  expect(identity.issuers[0]?.algorithms).not.toContain('HS256' as never)
  expect(identity.issuers[1]?.assignments[1]).toEqual({
    claimedRole: 'reader',
    role: 'Reader',
    resource: 'r',
    deployment: 'd',
  })
  expect(identity.trustedProxies).toEqual(['10.0.0.0/8'])
  expect(identity.managementNetwork.networkAcls?.defaultAction).toBe('Deny')
})

test.each<[string, object, string]>([
  ['HMAC', { ...issuer, algorithms: ['HS256'] }, 'identity.issuers[0].algorithms[0]: got "HS256"'],
  ['no signature', { ...issuer, algorithms: ['none'] }, 'identity.issuers[0].algorithms[0]: got "none"'],
  ['no algorithm', { ...issuer, algorithms: [] }, 'identity.issuers[0].algorithms'],
  [
    'plain HTTP',
    { ...issuer, issuer: 'http://login.corp.example' },
    'identity.issuers[0].issuer: got "http://login.corp.example"',
  ],
  ['keys over plain HTTP', { ...issuer, jwksUri: 'http://keys.corp.example' }, 'identity.issuers[0].jwksUri'],
  ['a user in the address', { ...issuer, issuer: 'https://u:p@corp.example' }, 'identity.issuers[0].issuer'],
  ['a query in the address', { ...issuer, jwksUri: 'https://corp.example/?a=1' }, 'identity.issuers[0].jwksUri'],
  ['both tenant and issuer', { ...issuer, tenant }, 'exactly one of tenant and issuer'],
  ['neither', { name: 'x' }, 'exactly one of tenant and issuer'],
  [
    'a tenant that is none',
    { name: 'x', tenant: 'common' },
    'identity.issuers[0].tenant: got "common", expected a GUID',
  ],
  ['half an hour of skew', { ...issuer, clockSkewSeconds: 1800 }, 'identity.issuers[0].clockSkewSeconds'],
  [
    'an unknown role',
    { ...issuer, assignments: [{ principal: 'a', role: 'Admin' }] },
    'identity.issuers[0].assignments[0].role: got "Admin", expected a role: Owner, ',
  ],
  ['to nobody', { ...issuer, assignments: [{ role: 'Owner' }] }, 'exactly one of principal, group and claimedRole'],
  [
    'to two',
    { ...issuer, assignments: [{ role: 'Owner', principal: 'a', group: 'b' }] },
    'exactly one of principal, group and claimedRole',
  ],
  ["the server's own name", { ...issuer, name: 'Ponto' }, "is the server's own issuer"],
  ['a misspelt field', { ...issuer, audience: 'x' }, 'identity.issuers[0].audience: unknown field'],
])('%s is refused', (_what, wrong, expected) => {
  expect(problemsOf({ identity: { issuers: [wrong] } }).join('\n')).toContain(expected)
})

test('the same name, or the same issuer by another one, is refused', () => {
  const problems = problemsOf({
    identity: {
      issuers: [
        issuer,
        { ...issuer, issuer: 'https://b.example' },
        { ...issuer, name: 'c', issuer: `${issuer.issuer}/` },
      ],
    },
  })
  expect(problems).toEqual([
    'identity.issuers[1].name: identity.issuers[0] has this name already',
    'identity.issuers[2].issuer: identity.issuers[0] is this issuer already',
  ])
})

test('plain HTTP is for this machine only', () => {
  for (const host of ['localhost', '127.0.0.1', '[::1]']) {
    expect(problemsOf({ identity: { issuers: [{ name: 'x', issuer: `http://${host}:8080/a` }] } })).toEqual([])
  }
})

test('an address that is none is refused', () => {
  expect(problemsOf({ network: { trustedProxies: ['10.0.0.0/99'] } }).join()).toContain('network.trustedProxies[0]')
  const management = { networkAcls: { defaultAction: 'Deny', ipRules: [{ value: 'example.com' }] } }
  expect(problemsOf({ network: { management } }).join()).toContain('network.management.networkAcls.ipRules[0].value')
})

test('both names of a tenant are one issuer', () => {
  expect(issuerKey({ tenant })).toBe(`login.microsoftonline.com/${tenant}/v2.0`)
})
