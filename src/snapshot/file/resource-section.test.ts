import { describe, expect, test } from 'bun:test'
import { parseConfig } from './parse-config.ts'

const secrets: Record<string, string> = { PONTO_SECRET_K: 'sixteen-letters-and-more', PONTO_SECRET_SHORT: 'x' }

function read(text: string) {
  return parseConfig(text, 'ponto.yaml', {
    builtinModels: [],
    readSecret: (name) => secrets[name],
    now: () => 0,
    ownName: 'mine',
    listStoredOf: (name) => ({
      deployments: [],
      policies: name === 'team-a' ? ['stored-policy'] : [],
      refs: { blocklists: [], topics: [], engines: [] },
    }),
  })
}

function problemsOf(text: string): readonly string[] {
  const reading = read(text)
  if (reading.isValid) return []
  return reading.problems.map(({ line, column, text: what }) => `${line}:${column}: ${what}`)
}

const model = (name: string, more = '') =>
  `{ name: ${name}, model: { name: m }, backends: [{ url: 'https://a.example/v1' }]${more} }`

describe('resources of the file', () => {
  test('have what the server’s own has at the top, and what is said of them', () => {
    const reading = read(`resource: { location: West Europe, tags: { a: b } }
deployments:
  - ${model('gpt')}
resources:
  - name: team-a
    location: East US
    properties: { disableLocalAuth: true }
    keys: { key2: { env: PONTO_SECRET_K } }
    raiBlocklists: [{ name: words, terms: [pizza] }]
    raiPolicies:
      - { name: strict, customBlocklists: [{ blocklistName: words, blocking: true, source: Prompt }] }
    deployments:
      - ${model('gpt', ', raiPolicyName: strict')}
      - ${model('other', ', raiPolicyName: stored-policy')}
  - { name: team-b }
`)
    if (!reading.isValid) throw new Error(JSON.stringify(reading.problems))
    expect(reading.resource).toMatchObject({ line: 1, spec: { location: 'westeurope', tags: { a: 'b' } } })
    expect(reading.deployments.map(({ spec, line }) => [spec.name, line])).toEqual([['gpt', 3]])
    expect(reading.filters.policies).toEqual([])
    const [a, b] = reading.resources
    expect(a).toMatchObject({
      file: 'ponto.yaml',
      line: 5,
      spec: { name: 'team-a', location: 'eastus', properties: { disableLocalAuth: true } },
      keys: [{ name: 'key2', value: 'sixteen-letters-and-more' }],
    })
    expect(a?.deployments.map(({ spec, line }) => [spec.name, line])).toEqual([
      ['gpt', 13],
      ['other', 14],
    ])
    expect(a?.filters.policies).toMatchObject([{ spec: { name: 'strict' }, line: 11 }])
    expect(b).toMatchObject({ line: 15, deployments: [], keys: [], spec: { name: 'team-b', location: 'local' } })
  })

  test.each<[string, string, readonly string[]]>([
    [
      'what is wrong in one, each in its place',
      `resources:
  - name: team-a
    locations: x
  - name: team-b
    deployments:
      - ${model('gpt')}
      - ${model('GPT')}
      - ${model('bb', ', raiPolicyName: stored-policy')}
`,
      [
        '3:16: resources[0].locations: unknown field, allowed are name, location, kind, sku, tags, subscriptionId, resourceGroup, properties, deployments, filterEngines, raiPolicies, raiBlocklists, raiTopics, keys',
        '8:101: resources[1].deployments[2].raiPolicyName: got "stored-policy", expected',
        '7:17: resources[1].deployments[1].name: "GPT" in line 7 is declared before, as "gpt" in line 6',
      ],
    ],
    [
      'a name of the server’s own',
      'resources: [{ name: Mine }]\n',
      [`1:21: resources[0].name: got "Mine", which is the server's own resource: describe it under "resource"`],
    ],
    [
      'one name twice',
      'resources:\n  - { name: a1 }\n  - { name: A1 }\n',
      ['3:13: resources[1].name: "A1" is declared before, in line 2'],
    ],
    [
      'hosts of another',
      'resources:\n  - { name: a1 }\n  - { name: b1, properties: { customSubDomainName: a1 } }\n',
      ['3:52: resources[1].properties.customSubDomainName: the host names of "b1" are those of "a1" too'],
    ],
    [
      'hosts of the server’s own',
      'resources:\n  - { name: b1, properties: { customSubDomainName: mine } }\n',
      ['2:52: resources[0].properties.customSubDomainName: the host names of "b1" are those of "mine" too'],
    ],
    [
      'a variable that is not set, or holds no key',
      'resources:\n  - { name: b1, keys: { key1: { env: PONTO_SECRET_NONE }, key2: { env: PONTO_SECRET_SHORT } } }\n',
      [
        '2:38: resources[0].keys.key1.env: got the variable PONTO_SECRET_NONE, which is not set',
        '2:72: resources[0].keys.key2.env: got the variable PONTO_SECRET_SHORT, whose value is no key',
      ],
    ],
    ['a secret', 'resources:\n  - { name: b1, keys: { key1: plain-secret } }\n', ['2:31: resources[0].keys.key1: got']],
    ['an own resource with a name', 'resource: { name: x }\n', ['1:19: resource.name: unknown field']],
    [
      'more of a pool than there is, of all together',
      `quota: [{ sku: GlobalStandard, limit: 5 }]
deployments:
  - ${model('gpt', ', sku: { name: GlobalStandard, capacity: 3 }')}
resources:
  - name: team-a
    deployments:
      - ${model('gpt', ', sku: { name: GlobalStandard, capacity: 3 }')}
`,
      ['7:126: resources[0].deployments[0].sku.capacity: This operation requires 3 new capacity'],
    ],
  ])('%s is refused', (_what, text, problems) => {
    const found = problemsOf(text)
    expect(found).toHaveLength(problems.length)
    for (const [index, problem] of problems.entries()) expect(found[index]).toStartWith(problem)
  })
})
