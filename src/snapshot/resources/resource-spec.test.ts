import { describe, expect, test } from 'bun:test'
import { formatProblem } from '../../core/text/parse-document.ts'
import { documentOf, hostLabels, judgeResourceChange, makeResourceSpec, readResource } from './resource-spec.ts'

const problemsOf = (input: object) => {
  const reading = readResource({ name: 'team-a', ...input })
  return 'problems' in reading ? reading.problems.map(formatProblem) : []
}

describe('a resource', () => {
  test('of which nothing is said but its name', () => {
    expect(makeResourceSpec('Team-A')).toEqual({
      name: 'Team-A',
      location: 'local',
      kind: 'AIServices',
      sku: { name: 'S0' },
      tags: {},
      subscriptionId: '00000000-0000-0000-0000-000000000000',
      resourceGroup: 'default',
      properties: {},
    })
  })

  test('is read as it was written, in one spelling where several mean the same, and what is stored reads the same', () => {
    const reading = readResource({
      name: 'T.a_1',
      location: 'East US 2',
      kind: 'OpenAI',
      subscriptionId: 'ABCDEF00-0000-0000-0000-00000000000A',
      resourceGroup: 'rg (1)'.replace(' ', '_'),
      tags: { größe: '東京' },
      properties: {
        customSubDomainName: 'Team-A',
        disableLocalAuth: true,
        publicNetworkAccess: 'Enabled',
        networkAcls: { defaultAction: 'Deny', ipRules: [{ value: '10.0.0.0/8' }, { value: '::1' }] },
        restrictOutboundNetworkAccess: true,
        allowedFqdnList: ['API.Example.com'],
        carried: { userOwnedStorage: [{ resourceId: '/x' }] },
      },
    })
    if ('problems' in reading) throw new Error(reading.problems.map(formatProblem).join())
    const { spec } = reading
    expect(spec).toMatchObject({
      location: 'eastus2',
      subscriptionId: 'abcdef00-0000-0000-0000-00000000000a',
      properties: { customSubDomainName: 'team-a', allowedFqdnList: ['api.example.com'] },
    })
    expect(readResource({ ...JSON.parse(JSON.stringify(documentOf(spec))), name: spec.name })).toEqual({ spec })
  })

  test.each<[object, string]>([
    [
      { name: 'a' },
      'name: got "a", expected 2 to 64 letters, digits, "-", "_" or ".", beginning with a letter or digit',
    ],
    [{ name: 'a/b' }, 'name: got "a/b"'],
    [{ name: '..' }, 'name: got ".."'],
    [{ name: 'a'.repeat(65) }, 'name: got'],
    [{ location: '' }, 'location: got "", expected a region, such as "eastus"'],
    [{ kind: 'Speech' }, 'kind: got "Speech"'],
    [{ sku: { name: 'F0' } }, 'sku.name: got "F0"'],
    [{ subscriptionId: 'mine' }, 'subscriptionId: got "mine", expected a GUID'],
    [{ tags: { a: 1 } }, 'tags.a: got 1, expected a string'],
    [{ colour: 'red' }, 'colour: unknown field'],
    [{ properties: { customSubDomainName: 'a.b' } }, 'properties.customSubDomainName: got "a.b"'],
    [{ properties: { customSubDomainName: '-a' } }, 'properties.customSubDomainName: got "-a"'],
    [{ properties: { disableLocalAuth: 'yes' } }, 'properties.disableLocalAuth: got "yes"'],
    [
      { properties: { networkAcls: { defaultAction: 'Deny', ipRules: [{ value: '10.0.0.0/33' }] } } },
      'properties.networkAcls.ipRules[0].value: got "10.0.0.0/33", expected an IP address, or a range such as 203.0.113.0/24',
    ],
    [
      { properties: { allowedFqdnList: ['*.example.com'] } },
      'properties.allowedFqdnList[0]: got "*.example.com", expected a host name',
    ],
    [{ properties: { carried: { x: 'y'.repeat(70_000) } } }, 'properties.carried: got an object, expected at most'],
  ])('%j is refused', (input, problem) => {
    expect(problemsOf(input)).toEqual([expect.stringContaining(problem)])
  })
})

test('a subdomain stays once it is there', () => {
  const withDomain = (customSubDomainName?: string) => ({
    ...makeResourceSpec('a1'),
    properties: { customSubDomainName },
  })
  const judge = (next?: string, before?: string) =>
    judgeResourceChange(withDomain(next), withDomain(before)).map(formatProblem)
  expect([judge('x', undefined), judge('x', 'x'), judge(undefined, undefined)]).toEqual([[], [], []])
  expect(judgeResourceChange(withDomain('x'), undefined)).toEqual([])
  const kept = 'once a resource has a subdomain, it keeps it'
  expect(judge('y', 'x')).toEqual([`properties.customSubDomainName: got "y", expected "x": ${kept}`])
  expect(judge(undefined, 'x')).toEqual([`properties.customSubDomainName: got nothing, expected "x": ${kept}`])
})

test.each([
  ['Team-A', undefined, ['team-a']],
  ['team_a', undefined, []],
  ['a.b', 'team', ['team']],
  ['team', 'team', ['team']],
  ['team', 'other', ['team', 'other']],
  ['team-', undefined, []],
])('hosts of %s with the subdomain %s begin with %j', (name, customSubDomainName, labels) => {
  expect(hostLabels({ name, properties: { customSubDomainName } })).toEqual(labels)
})
