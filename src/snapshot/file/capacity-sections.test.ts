import { describe, expect, test } from 'bun:test'
import { plainRules } from '../capacity/capacity-rules.fixture.ts'
import { parseConfig } from './parse-config.ts'

const options = {
  builtinModels: [{ format: 'Ponto', name: 'builtin-nano', version: '1' }],
  readSecret: () => undefined,
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

const deployment = (name: string, sku: string, more = '') =>
  `  - name: ${name}
    model: { name: gpt-4o }
    sku: ${sku}
    backends: [{ url: "https://a.example/v1"${more} }]
`

describe('models', () => {
  test('add to the catalog, and deployments of the same file can use what they say', () => {
    const reading = read(`
models:
  - name: house-llm
    format: Acme
    version: "3"
    type: chat
    maxContextTokens: 32768
    lifecycle: { status: Legacy, retiresAt: 2027-06-30, replacement: { name: house-llm, version: "4" } }
    skus:
      - name: ProvisionedManaged
        capacity: { minimum: 10, maximum: 100, step: 10 }
        inputTokensPerMinute: 5000
        outputWeight: 3
  - { name: house-llm, format: Acme, version: "4", default: false }
deployments:
  - name: ours
    model: { name: house-llm }
    sku: { name: ProvisionedManaged, capacity: 20 }
    backends: [{ url: "https://a.example/v1" }]
`)
    expect(reading).toMatchObject({ isValid: true })
    if (!reading.isValid) return
    const { catalog } = reading.rules
    expect(catalog.versionsOf('HOUSE-llm').map(({ version }) => version)).toEqual(['3', '4'])
    expect(catalog.find('house-llm', '3')).toMatchObject({
      source: 'operator',
      maxContextTokens: 32_768,
      lifecycle: { status: 'Legacy', retiresAt: Date.UTC(2027, 5, 30), replacement: { version: '4' } },
      skus: [
        {
          name: 'ProvisionedManaged',
          capacity: { minimum: 10, maximum: 100, step: 10, default: 10 },
          perUnit: { kind: 'provisioned', inputTokensPerMinute: 5_000, outputWeight: 3 },
        },
      ],
    })
    expect(reading.deployments[0]?.spec.model).toMatchObject({ format: 'Acme', version: '3' })
  })

  test.each<[string, string, string[]]>([
    [
      'a misspelt field',
      'models:\n  - name: a\n    versoin: "1"\n',
      [
        '3:14: models[0].versoin: unknown field, allowed are format, name, version, default, publisher, description, type, capabilities, maxContextTokens, maxOutputTokens, lifecycle, skus',
      ],
    ],
    [
      'a version that YAML reads as a number',
      'models:\n  - { name: a, version: 1 }\n',
      ['2:25: models[0].version: got 1, expected a string'],
    ],
    [
      'no date',
      'models:\n  - { name: a, lifecycle: { retiresAt: soon } }\n',
      ['2:40: models[0].lifecycle.retiresAt: got "soon", expected a date, YYYY-MM-DD or with a time'],
    ],
    [
      'a SKU that says nothing of its units',
      'models:\n  - name: a\n    skus:\n      - name: ProvisionedManaged\n',
      ['4:9: models[0].skus[0].inputTokensPerMinute: missing, expected what a unit of this SKU is worth'],
    ],
    [
      'a least capacity that is not a multiple of the step',
      'models:\n  - name: a\n    skus:\n      - name: Standard\n        tokensPerMinute: 1000\n        capacity: { minimum: 15, step: 10 }\n',
      ['6:30: models[0].skus[0].capacity.minimum: got 15, expected a multiple of the step, 10'],
    ],
  ])('%s', (_what, text, problems) => {
    expect(problemsOf(text)).toEqual(problems)
  })
})

describe('quota', () => {
  test('pools for a model, for a publisher and for all models', () => {
    const reading = read(`
quota:
  - { sku: GlobalStandard, model: gpt-4o, limit: 300 }
  - { sku: GlobalStandard, model: gpt-4o, format: Acme, limit: 30 }
  - { sku: ProvisionedManaged, limit: 200 }
`)
    expect(reading.isValid && reading.rules.pools).toEqual([
      { sku: 'GlobalStandard', model: 'gpt-4o', limit: 300 },
      { sku: 'GlobalStandard', model: 'gpt-4o', format: 'Acme', limit: 30 },
      { sku: 'ProvisionedManaged', limit: 200 },
    ])
  })

  test('deployments may have all of a pool, and of several the one that is too much is named', () => {
    const pool = 'quota:\n  - { sku: GlobalStandard, model: GPT-4o, limit: 100 }\ndeployments:\n'
    const first = deployment('one', '{ name: GlobalStandard, capacity: 60 }')
    expect(problemsOf(pool + first + deployment('two', '{ name: GlobalStandard, capacity: 40 }'))).toEqual([])
    const [problem, ...more] = problemsOf(pool + first + deployment('two', '{ name: GlobalStandard, capacity: 41 }'))
    expect(more).toEqual([])
    expect(problem).toStartWith(
      '10:44: deployments[1].sku.capacity: This operation requires 41 new capacity in quota ' +
        'Tokens Per Minute (thousands) - GlobalStandard - GPT-4o, which is bigger than the current available capacity 40. ' +
        'The current quota usage is 60 and the quota limit is 100 for quota ',
    )
  })

  test.each<[string, string, string[]]>([
    [
      'one pool twice, by case',
      'quota:\n  - { sku: Standard, model: a, limit: 1 }\n  - { sku: Standard, model: A, limit: 2 }\n',
      ['3:5: quota[1]: there is a pool "Standard.A" already, quota[0]; give one limit'],
    ],
    [
      'a publisher without a model',
      'quota:\n  - { sku: Standard, format: Acme, limit: 1 }\n',
      ['2:5: quota[0].model: missing, expected the model of Acme that the pool is for'],
    ],
    [
      'an unknown SKU',
      'quota:\n  - { sku: Gold, limit: 1 }\n',
      [
        '2:12: quota[0].sku: got "Gold", expected one of "Standard", "GlobalStandard", "DataZoneStandard", "DeveloperTier", "ProvisionedManaged", "GlobalProvisionedManaged", "DataZoneProvisionedManaged", "GlobalBatch", "DataZoneBatch"',
      ],
    ],
    ['no limit', 'quota:\n  - { sku: Standard }\n', ['2:5: quota[0].limit: missing, expected a number']],
    [
      'less than nothing',
      'quota:\n  - { sku: Standard, limit: -1 }\n',
      ['2:29: quota[0].limit: got -1, expected at least 0'],
    ],
  ])('%s', (_what, text, problems) => {
    expect(problemsOf(text)).toEqual(problems)
  })
})

describe('placement', () => {
  const rule = 'placement: { regional: [eu-west], data-zone: [eu-west, eu-north] }\ndeployments:\n'

  test('keeps what is regional to backends with one of the labels; what is not named may run anywhere', () => {
    expect(problemsOf(rule + deployment('one', '{ name: Standard }', ', labels: [gpu, eu-west]'))).toEqual([])
    expect(problemsOf(rule + deployment('one', '{ name: GlobalStandard }', ', labels: [us-east]'))).toEqual([])
    expect(problemsOf(rule + deployment('one', '{ name: DataZoneStandard }', ', labels: [us-east]'))).toEqual([
      '6:47: deployments[0].backends[0].labels: has us-east, expected one of eu-west, eu-north: DataZoneStandard is data-zone, and "placement" says where that is',
    ])
    expect(problemsOf(rule + deployment('one', '{ name: Standard }'))).toEqual([
      '6:16: deployments[0].backends[0].labels: has no labels, expected one of eu-west: Standard is regional, and "placement" says where that is',
    ])
  })

  test.each<[string, string, string[]]>([
    [
      'an unknown scope',
      'placement:\n  zonal: [a]\n',
      ['2:3: placement.zonal: unknown field, allowed are global, data-zone, regional'],
    ],
    [
      'a label that no backend can have',
      'placement:\n  regional: [EU West]\n',
      ['2:14: placement.regional[0]: got "EU West", expected lower-case letters, digits, ".", "_" or "-"'],
    ],
    [
      'no labels at all',
      'placement:\n  regional: []\n',
      ['2:3: placement.regional: got a list, expected at least 1 item'],
    ],
  ])('%s', (_what, text, problems) => {
    expect(problemsOf(text)).toEqual(problems)
  })
})

test('sections and deployments that are wrong are told at once', () => {
  const text = 'quota:\n  - { sku: Standard }\ndeployments:\n  - name: x\n    model: { name: builtin-nano }\n'
  expect(problemsOf(text)).toEqual([
    '2:5: quota[0].limit: missing, expected a number',
    '4:11: deployments[0].name: got "x", expected 2 to 64 letters, digits, "-", "_" or "."',
  ])
})

describe('modelBackends', () => {
  const section = `
modelBackends:
  - model: gpt-4o
    backends: [{ url: "https://west.example", protocol: azure-openai, credential: { env: PONTO_SECRET_WEST } }]
  - format: OpenAI
    backends: [{ url: "https://all.example/v1" }]
  - format: OpenAI
    model: gpt-4o
    backends: [{ url: "https://best.example/v1", model: "served-{version}" }]
`

  test('a deployment that does not say where it runs gets those that say most of its model', () => {
    const reading = read(`${section.replace(', credential: { env: PONTO_SECRET_WEST }', '')}
deployments:
  - { name: best, model: { name: GPT-4o } }
  - { name: named, model: { name: gpt-4o, format: Other } }
  - { name: all, model: { name: gpt-4.1 } }
  - { name: own, model: { name: gpt-4o }, backends: [{ url: "https://own.example/v1" }] }
  - { name: built, model: { name: builtin-nano } }
`)
    const urls = reading.isValid
      ? reading.deployments.map(({ spec }) => [spec.name, spec.backends?.[0]?.url, spec.backends?.[0]?.model])
      : reading.problems
    expect(urls).toEqual([
      ['best', 'https://best.example/v1', 'served-{version}'],
      ['named', 'https://west.example', undefined],
      ['all', 'https://all.example/v1', undefined],
      ['own', 'https://own.example/v1', undefined],
      ['built', undefined, undefined],
    ])
  })

  test('a variable that is not set is told where it is used', () => {
    const text = `${section}deployments:\n  - { name: gpt, model: { name: gpt-4o, format: Other } }\n`
    expect(problemsOf(text)).toEqual([
      expect.stringContaining('backends[0].credential.env: the variable PONTO_SECRET_WEST is not set'),
    ])
  })

  test.each<[string, string]>([
    ['modelBackends: [{ backends: [{ url: "https://a.example" }] }]', 'modelBackends[0].model: missing'],
    ['modelBackends: [{ model: m, backends: [] }]', 'modelBackends[0].backends'],
    [
      'modelBackends: [{ model: m, backends: [{ url: "https://a.example", credential: { value: sk-planted-77 } }] }]',
      'a secret does not belong in this file',
    ],
    [
      'modelBackends: [{ model: m, backends: [{ url: "https://a.example" }] }, { model: M, backends: [{ url: "https://a.example" }] }]',
      'says it of the same as modelBackends[0]',
    ],
  ])('%s', (text, problem) => {
    const problems = problemsOf(`${text}\n`).join('\n')
    expect(problems).toContain(problem)
    expect(problems).not.toContain('sk-planted')
  })
})
