import { describe, expect, test } from 'bun:test'
import { createCatalog } from '../catalog/create-catalog.ts'
import { type DeploymentSpec, deploymentSpecSchema } from '../deployment-spec.ts'
import { type DeploymentPolicyInput, readDeploymentPolicy } from './deployment-policy.ts'
import { describeViolation, fillDefaults, findViolations, judgePolicies } from './judge-deployment.ts'
import { matchesAny } from './match-conditions.ts'

const plan = { catalog: createCatalog([]), now: 0 }

function deployment(fields: object = {}): DeploymentSpec {
  return deploymentSpecSchema.parse({
    name: 'chat',
    model: { name: 'gpt-4o', version: '2024-11-20' },
    backends: [{ url: 'https://api.example/v1' }],
    ...fields,
  })
}

function read(policy: DeploymentPolicyInput) {
  const reading = readDeploymentPolicy(policy)
  if ('problems' in reading) throw new Error(JSON.stringify(reading.problems))
  return reading.spec
}

const judge = (spec: DeploymentSpec, ...policies: DeploymentPolicyInput[]) =>
  findViolations(spec, { policies: policies.map(read), defaultRaiPolicy: 'Microsoft.DefaultV2' }, plan)

const deny = (allow: Extract<DeploymentPolicyInput, { effect: 'deny' | 'audit' }>['allow'], fields: object = {}) =>
  ({ name: 'rule', effect: 'deny', allow, ...fields }) as DeploymentPolicyInput

describe('each field', () => {
  const standard = { sku: { name: 'GlobalStandard', capacity: 20 } }
  const labelled = { backends: [{ url: 'https://a.example/v1', labels: ['eu', 'prod'] }] }
  const cases: readonly [name: string, allow: Parameters<typeof deny>[0], good: object, bad: object, field: string][] =
    [
      ['model', { model: ['GPT-4*'] }, {}, { model: { name: 'o3' } }, 'model.name'],
      ['format', { format: ['openai'] }, {}, { model: { name: 'm', format: 'Meta' } }, 'model.format'],
      ['version', { version: ['2024-*'] }, {}, { model: { name: 'm', version: '1' } }, 'model.version'],
      ['sku', { sku: ['none'] }, {}, standard, 'sku.name'],
      ['capacity', { capacity: { max: 10 } }, {}, standard, 'sku.capacity'],
      ['least capacity', { capacity: { min: 1 } }, standard, {}, 'sku.capacity'],
      ['tokens', { tokensPerMinute: { max: 20_000 } }, standard, {}, 'tokensPerMinute'],
      [
        'requests',
        { requestsPerMinute: { max: 120 } },
        standard,
        { sku: { ...standard.sku, capacity: 21 } },
        'requestsPerMinute',
      ],
      [
        'own limits',
        { requestsPerMinute: { max: 60 } },
        { rateLimits: [{ key: 'request', renewalPeriod: 10, count: 10 }] },
        { rateLimits: [{ key: 'request', renewalPeriod: 1, count: 10 }] },
        'requestsPerMinute',
      ],
      ['filter', { raiPolicyName: ['Microsoft.Default*'] }, {}, { raiPolicyName: 'Microsoft.Nil' }, 'raiPolicyName'],
      ['labels', { backendLabels: ['eu'] }, labelled, {}, 'backends[0].labels'],
      [
        'built in',
        { backendLabels: ['eu', 'builtin'] },
        { backends: undefined },
        { backends: [{ url: 'https://a.example', labels: ['us'] }] },
        'backends[0].labels',
      ],
      ['a tag', { tags: { Team: ['re*'] } }, { tags: { team: 'Research' } }, { tags: { team: 'sales' } }, 'tags.Team'],
      ['no tag', { tags: { team: ['*'] } }, { tags: { TEAM: '' } }, {}, 'tags.team'],
    ]
  for (const [name, allow, good, bad, field] of cases) {
    test(name, () => {
      expect(judge(deployment(good), deny(allow))).toEqual([])
      expect(judge(deployment(bad), deny(allow)).map((violation) => violation.field)).toEqual([field])
    })
  }
})

test('every field that is wrong is told, by every policy; audit too, but only deny refuses', () => {
  const policies = [
    deny({ model: ['o3'], sku: ['Standard'] }),
    deny({ model: ['o3'] }, { name: 'look', effect: 'audit' }),
  ]
  const found = judge(deployment(), ...policies)
  expect(found.map(({ policy, effect, field }) => [policy, effect, field])).toEqual([
    ['rule', 'deny', 'model.name'],
    ['rule', 'deny', 'sku.name'],
    ['look', 'audit', 'model.name'],
  ])
  const problems = judgePolicies(deployment(), { policies: policies.map(read), defaultRaiPolicy: 'p' }, plan)
  expect(problems.map(({ path, code }) => [path.join('.'), code])).toEqual([
    ['model.name', 'RequestDisallowedByPolicy'],
    ['sku.name', 'RequestDisallowedByPolicy'],
  ])
  expect(describeViolation(found[0] as (typeof found)[number])).toBe(
    'got "gpt-4o", which the policy "rule" does not allow; allowed: o3',
  )
})

test('a policy is about those that fulfil all of `when`', () => {
  const policy = deny({ capacity: { max: 5 } }, { when: { sku: ['*standard'], tags: { env: ['test'] } } })
  const sku = { name: 'GlobalStandard', capacity: 9 }
  expect(judge(deployment({ sku }), policy)).toEqual([])
  expect(judge(deployment({ tags: { env: 'test' } }), policy)).toEqual([])
  expect(judge(deployment({ sku, tags: { env: 'test' } }), policy)).toHaveLength(1)
})

test('defaults fill what is not given, the first one wins, and `when` looks at what was given', () => {
  const policies = [
    read({ name: 'a', effect: 'default', set: { raiPolicyName: 'Strict', tags: { team: 'x', env: 'test' } } }),
    read({ name: 'b', effect: 'default', when: { tags: { team: ['y'] } }, set: { sku: { name: 'Standard' } } }),
    read({ name: 'c', effect: 'default', set: { raiPolicyName: 'Lax', versionUpgradeOption: 'NoAutoUpgrade' } }),
  ]
  expect(fillDefaults({ name: 'n', model: { name: 'm' } }, policies)).toEqual({
    name: 'n',
    model: { name: 'm' },
    raiPolicyName: 'Strict',
    tags: { team: 'x', env: 'test' },
    versionUpgradeOption: 'NoAutoUpgrade',
  })
  const given = { raiPolicyName: 'Mine', tags: { team: 'y' }, versionUpgradeOption: 'OnceCurrentVersionExpired' }
  expect(fillDefaults(given, policies)).toEqual({
    ...given,
    tags: { team: 'y', env: 'test' },
    sku: { name: 'Standard', capacity: 1 },
  })
  expect(fillDefaults('no document', policies)).toBe('no document')
  expect(fillDefaults({ model: 5, sku: 'x', tags: [1] }, policies)).toMatchObject({ model: 5, sku: 'x', tags: [1] })
})

test('a policy that says nothing, or what it cannot, is refused by name', () => {
  const problemsOf = (input: unknown) => {
    const reading = readDeploymentPolicy(input)
    return 'problems' in reading ? reading.problems.map(({ path }) => path.join('.')) : []
  }
  expect(problemsOf({ name: 'a', effect: 'deny' })).toEqual(['allow'])
  expect(problemsOf({ name: 'a', effect: 'deny', allow: {} })).toEqual(['allow'])
  expect(problemsOf({ name: 'a', effect: 'deny', allow: { capacity: {} } })).toEqual(['allow.capacity'])
  expect(problemsOf({ name: 'a', effect: 'default', set: { backends: [], tags: {} } })).toEqual(['set.backends'])
  expect(problemsOf({ name: 'a', effect: 'block', allow: { model: ['m'] } })).toEqual(['effect'])
  expect(problemsOf({ name: '', effect: 'deny', allow: { model: ['m'] } })).toEqual(['name'])
})

test('patterns: whole, without regard to case, stars anywhere, and no other sign means anything', () => {
  const pairs: readonly [string, string, boolean][] = [
    ['gpt-4o', 'GPT-4o', true],
    ['gpt-4o-mini', 'gpt-4o', false],
    ['gpt-4o-mini', 'gpt-*-mini', true],
    ['gpt-mini', 'gpt-*-mini', false],
    ['aXbXc', 'a*b*c', true],
    ['abab', 'ab*ab', true],
    ['aba', 'ab*ba', false],
    ['', '*', true],
    ['a.b', 'a?b', false],
    ['anything', '**', true],
    [`${'a'.repeat(10_000)}c`, `${'*a'.repeat(500)}b`, false],
  ]
  for (const [text, pattern, is] of pairs)
    expect([text, pattern, matchesAny(text, [pattern])]).toEqual([text, pattern, is])
})
