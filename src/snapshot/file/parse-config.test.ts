import { describe, expect, test } from 'bun:test'
import { plainRules } from '../capacity/capacity-rules.fixture.ts'
import { parseConfig } from './parse-config.ts'

const options = {
  builtinModels: [{ format: 'Ponto', name: 'builtin-nano', version: '1' }],
  readSecret: (name: string) => (name === 'PONTO_SECRET_SET' ? 'sk-from-environment' : undefined),
  now: () => plainRules.now,
}

function read(text: string) {
  return parseConfig(text, 'ponto.yaml', options)
}

/** `line:column: text` of each problem. */
function problemsOf(text: string): string[] {
  const reading = read(text)
  return reading.isValid ? [] : reading.problems.map((problem) => `${problem.line}:${problem.column}: ${problem.text}`)
}

const secretRule =
  '{env: PONTO_SECRET_NAME}, with the secret in that variable: a secret does not belong in this file. ' +
  'Or make the deployment with "ponto deployment create", which stores its credential encrypted'

describe('parseConfig', () => {
  test('reads deployments and where they stand', () => {
    const reading = read(`# Ours
deployments:
  - name: Mistral-large
    model: { name: builtin-nano }

  - name: gpt
    model: { name: gpt-4o, version: "2024-08-06" }
    backends:
      - url: https://api.example/v1
        credential: { env: PONTO_SECRET_SET }
`)
    expect(reading.isValid && reading.deployments.map(({ spec, file, line }) => [spec.name, file, line])).toEqual([
      ['Mistral-large', 'ponto.yaml', 3],
      ['gpt', 'ponto.yaml', 6],
    ])
    expect(reading.isValid && reading.deployments[1]?.spec.backends?.[0]?.credential).toEqual({
      env: 'PONTO_SECRET_SET',
    })
  })

  test.each(['deployments: []', 'deployments: []\n', '{}', '{"deployments": []}'])('%p declares none', (text) => {
    expect(read(text)).toMatchObject({ isValid: true, deployments: [], rules: { pools: [], placement: {} } })
  })

  test('anchors may be shared', () => {
    const reading = read(`deployments:
  - &first
    name: one
    model: &nano { name: builtin-nano }
  - name: two
    model: *nano
`)
    expect(reading.isValid && reading.deployments.map(({ spec }) => spec.model.name)).toEqual([
      'builtin-nano',
      'builtin-nano',
    ])
  })

  test.each<[string, string, string[]]>([
    ['an empty file', '', ['1:1: the file is empty; to declare no deployments write "deployments: []"']],
    ['only comments', '# later\n', ['1:1: the file is empty; to declare no deployments write "deployments: []"']],
    ['a list', '- a', ['1:1: got a list, expected an object']],
    [
      'an unknown key',
      'deployments: []\nkeys: 1\n',
      [
        '2:7: keys: unknown field, allowed are models, modelBackends, quota, placement, filterEngines, raiPolicies, raiBlocklists, raiTopics, webhooks, deploymentPolicies, resource, resources, identity, network, deployments',
      ],
    ],
    ['a value of another type', 'deployments: 5', ['1:14: deployments: got 5, expected a list']],
    ['nothing behind a key', 'deployments:\n', ['1:13: deployments: got null, expected a list']],
    [
      'a field of another type',
      'deployments:\n  - name: gpt\n    model:\n      name: builtin-nano\n      version: 1\n',
      ['5:16: deployments[0].model.version: got 1, expected a string'],
    ],
    [
      'a missing field',
      'deployments:\n  - model: { name: builtin-nano }\n',
      ['2:5: deployments[0].name: missing, expected a string'],
    ],
    [
      'several problems at once, each in its place',
      'deployments:\n  - name: x\n    model: { name: builtin-nano }\n  - name: gpt\n    modle: {}\n',
      [
        '2:11: deployments[0].name: got "x", expected 2 to 64 letters, digits, "-", "_" or "."',
        '4:5: deployments[1].model: missing, expected an object',
        '5:5: deployments[1].modle: unknown field, allowed are name, model, sku, rateLimits, tokenAccounting, concurrency, versionUpgradeOption, dynamicThrottlingEnabled, spilloverDeploymentName, serviceTier, deploymentState, raiPolicyName, price, capture, tags, backends',
      ],
    ],
    [
      'one name twice, by case',
      'deployments:\n  - name: GPT\n    model: { name: builtin-nano }\n  - name: gpt\n    model: { name: builtin-nano }\n',
      [
        '4:11: deployments[1].name: "gpt" in line 4 is declared before, as "GPT" in line 2 (names match without regard to case)',
      ],
    ],
    [
      'a model that is not there',
      'deployments:\n  - name: gpt\n    model: { name: gpt-4o }\n',
      [
        '3:5: deployments[0].model: there is no built-in model "gpt-4o" (format OpenAI, version 2024-11-20); there is: "builtin-nano" ' +
          '(format Ponto, version 1). To use a model that runs elsewhere, give backends: [{url: "https://.../v1"}], or say where it runs under "modelBackends" of the configuration file',
      ],
    ],
    [
      'a variable that is not set',
      'deployments:\n  - name: gpt\n    model: { name: m }\n    backends:\n      - url: https://a.example\n        credential: { env: PONTO_SECRET_UNSET }\n',
      [
        '6:28: deployments[0].backends[0].credential.env: the variable PONTO_SECRET_UNSET is not set; set it where Ponto is started, and start Ponto again',
      ],
    ],
    ['a syntax error', 'deployments:\n  - name: "gpt\n', ['3:1: Missing closing "quote']],
    ['a tab', 'deployments:\n\t- name: gpt\n', ['2:1: Tabs are not allowed as indentation']],
    ['a key twice', 'deployments: []\ndeployments: []\n', ['2:1: Map keys must be unique']],
    ['a second document', 'deployments: []\n---\na: 1\n', ['2:1: got a second document ("---"), expected one']],
    [
      'a tag of an application',
      'deployments: !ref other\n',
      ['1:14: Unresolved tag: !ref; only plain YAML is read (strings, numbers, true/false, null, lists, maps)'],
    ],
    [
      'a tag beyond the core schema',
      'deployments: !!binary aGk=\n',
      [
        '1:14: Unresolved tag: tag:yaml.org,2002:binary; only plain YAML is read (strings, numbers, true/false, null, lists, maps)',
      ],
    ],
    [
      'an older YAML',
      '%YAML 1.1\n---\ndeployments: []\n',
      ['1:1: got a %YAML directive of another version, expected 1.2 or no directive'],
    ],
    [
      'an alias of nothing',
      'deployments:\n  - *nope\n',
      ['2:5: Unresolved alias (the anchor must be set before the alias): nope'],
    ],
    ['an alias of itself', 'deployments: &a [*a]\n', ['1:18: deployments[0]: got a list, expected an object']],
  ])('refuses %s', (_what, text, problems) => {
    expect(problemsOf(text)).toEqual(problems)
  })

  test.each([
    ['open', '{ value: sk-planted-secret }'],
    ['sealed', '{ sealed: v1.sk-planted-secret }'],
    ['bare', 'sk-planted-secret'],
    ['beside a variable', '{ env: PONTO_SECRET_SET, value: sk-planted-secret }'],
  ])('refuses a secret in the file (%s), without repeating it, and says the way out', (_how, credential) => {
    const problems = problemsOf(
      `deployments:\n  - name: gpt\n    model: { name: m }\n    backends:\n      - url: https://a.example\n        credential: ${credential}\n`,
    )
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(/^6:\d+: deployments\[0\]\.backends\[0\]\.credential: got /)
    expect(problems[0]).toEndWith(`expected ${secretRule}`)
    expect(problems.join()).not.toContain('planted')
  })

  test('an alias bomb is refused before it is unfolded', () => {
    let text = 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n'
    for (let i = 1; i < 12; i++)
      text += `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(', ')}]\n`
    expect(problemsOf(text)).toEqual(['1:1: an anchor is used more than 10000 times'])
  })

  test('nesting beyond what a parser can hold is refused, not a crash', () => {
    const problems = problemsOf('['.repeat(50_000))
    expect(problems.length).toBeLessThanOrEqual(21)
    expect(problems[0]).toMatch(/^1:\d+: /)
  })

  test('of many problems the first twenty are told', () => {
    const text = `deployments:\n${'  - name: x\n    model: { name: builtin-nano }\n'.repeat(30)}`
    const reading = read(text)
    expect(!reading.isValid && reading.problems).toHaveLength(21)
    expect(!reading.isValid && reading.problems.at(-1)).toEqual({ text: 'and 10 more' })
  })
})
