import { describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FilterCategory } from '../../core/filter/categories.ts'
import { plainRules } from '../capacity/capacity-rules.fixture.ts'
import { formatFailure, loadConfig } from './load-config.ts'
import { type ConfigOptions, parseConfig } from './parse-config.ts'

const options: ConfigOptions = {
  builtinModels: [],
  readSecret: (name) => (name === 'PONTO_SECRET_SET' ? 'secret' : undefined),
  now: () => plainRules.now,
  listStored: () => ({
    deployments: ['stored-model'],
    policies: ['stored-policy'],
    refs: {
      blocklists: ['stored-list'],
      topics: [{ name: 'stored-topic', hasExamples: true }],
      engines: [{ name: 'stored-engine', categories: new Set<FilterCategory>(['hate']) }],
    },
  }),
}

/** `line:column: text` of each problem. */
function problemsOf(text: string): string[] {
  const reading = parseConfig(text, 'ponto.yaml', options)
  return reading.isValid ? [] : reading.problems.map((problem) => `${problem.line}:${problem.column}: ${problem.text}`)
}

const whole = `
filterEngines:
  - { name: my-guard, kind: guard, deployment: guard-model, profile: qwen3guard }
  - name: service
    kind: http
    url: https://filter.example/v1
    credential: { env: PONTO_SECRET_SET }
raiBlocklists:
  - name: words
    terms: [pizza, lasagne]
    items: [{ name: numbers, pattern: "\\\\d{3}", isRegex: true }]
raiTopics:
  - { name: weather, description: the weather, examples: [will it rain] }
raiPolicies:
  - name: strict
    contentFilters:
      - { name: Hate, source: Prompt, severityThreshold: Low, engines: [builtin, MY-guard] }
    customBlocklists: [{ blocklistName: words, source: Prompt }, { blocklistName: stored-list, source: Completion }]
    customTopics: [{ topicName: weather, source: Prompt }]
deployments:
  - name: guard-model
    model: { name: guard }
    backends: [{ url: "https://a.example/v1" }]
    raiPolicyName: Microsoft.Nil
  - name: gpt
    model: { name: gpt-4o }
    backends: [{ url: "https://a.example/v1" }]
    raiPolicyName: STRICT
  - name: other
    model: { name: gpt-4o }
    backends: [{ url: "https://a.example/v1" }]
    raiPolicyName: stored-policy
`

test('declare engines, lists, topics and policies, each with its line', () => {
  const reading = parseConfig(whole, 'ponto.yaml', options)
  expect(reading).toMatchObject({ isValid: true })
  if (!reading.isValid) return
  const { filters } = reading
  const places = Object.entries(filters).map(([kind, items]) => [
    kind,
    ...items.map(({ spec, file, line }) => `${file}:${line} ${spec.name}`),
  ])
  expect(places).toEqual([
    ['policies', 'ponto.yaml:15 strict'],
    ['blocklists', 'ponto.yaml:9 words'],
    ['engines', 'ponto.yaml:3 my-guard', 'ponto.yaml:4 service'],
    ['topics', 'ponto.yaml:13 weather'],
  ])
  expect(filters.blocklists[0]?.spec.items.map(({ pattern, isRegex }) => [pattern, isRegex]).sort()).toEqual([
    ['\\d{3}', true],
    ['lasagne', false],
    ['pizza', false],
  ])
  expect(reading.deployments.map(({ spec }) => spec.raiPolicyName)).toEqual([
    'Microsoft.Nil',
    'STRICT',
    'stored-policy',
  ])
})

test('a file without them declares none', () => {
  expect(parseConfig('deployments: []\n', 'ponto.yaml', options)).toMatchObject({
    filters: { policies: [], blocklists: [], engines: [], topics: [] },
  })
})

test.each<[string, string, string[]]>([
  [
    'a deployment with an unknown policy',
    'deployments:\n  - name: gpt\n    model: { name: m }\n    backends: [{ url: "https://a.example/v1" }]\n    raiPolicyName: strikt\n',
    [
      '5:20: deployments[0].raiPolicyName: got "strikt", expected one of "Microsoft.DefaultV2", "Microsoft.Default", "Microsoft.Nil", "stored-policy"',
    ],
  ],
  [
    'a policy with an unknown list',
    'raiBlocklists: [{ name: words, terms: [a] }]\nraiPolicies:\n  - name: p\n    customBlocklists:\n      - { blocklistName: wrods, source: Prompt }\n',
    ['5:26: raiPolicies[0].customBlocklists[0].blocklistName: got "wrods", expected one of "words", "stored-list"'],
  ],
  [
    'an engine that cannot judge',
    'raiPolicies:\n  - name: p\n    contentFilters:\n      - { name: Violence, source: Prompt, engines: [stored-engine] }\n',
    [
      '4:53: raiPolicies[0].contentFilters[0].engines[0]: the engine "stored-engine" does not judge Violence, but Hate; expected "builtin"',
    ],
  ],
  [
    'a pattern that does not run in linear time',
    'raiBlocklists:\n  - name: words\n    items:\n      - { pattern: "(a)\\\\1", isRegex: true }\n',
    [expect.stringMatching(/^4:20: raiBlocklists\[0\]\.items\[0\]\.pattern: cannot be used: /) as never],
  ],
  [
    'a secret',
    'filterEngines:\n  - name: service\n    kind: http\n    url: https://a.example\n    credential: { value: sk-planted }\n',
    [
      '5:5: filterEngines[0].credential: got a secret, expected {env: PONTO_SECRET_NAME}, with the secret in that variable: a secret does not belong in this file. Or make the engine with "PUT /management/filter-engines/NAME", which stores its credential encrypted',
    ],
  ],
  [
    'an engine that asks an unknown deployment',
    'filterEngines:\n  - { name: g, kind: guard, deployment: none, profile: qwen3guard }\n',
    ['2:41: filterEngines[0].deployment: got "none", expected "stored-model"'],
  ],
  [
    'two of a name',
    'raiTopics:\n  - { name: a, description: d }\n  - { name: A, description: d }\n',
    ['3:13: raiTopics[1].name: "A" in line 3 is declared before, in line 2 (names match without regard to case)'],
  ],
  ['what is no list', 'raiPolicies: { name: p }\n', ['1:1: raiPolicies: got an object, expected a list']],
])('%s is refused in its place', (_what, text, problems) => {
  expect(problemsOf(text)).toEqual(problems)
})

test('what is wrong is told once, not again by what names it', () => {
  const text = `
raiBlocklists:
  - { name: words, terms: [""] }
raiTopics:
  - { name: t }
filterEngines:
  - { name: e, kind: http }
raiPolicies:
  - name: p
    mode: Sometimes
    contentFilters: [{ name: Hate, source: Prompt, engines: [e] }]
  - name: q
    contentFilters: [{ name: Hate, source: Prompt, engines: [e] }]
    customBlocklists: [{ blocklistName: words, source: Prompt }]
    customTopics: [{ topicName: t, source: Prompt }]
deployments:
  - name: gpt
    model: { name: m }
    backends: [{ url: "https://a.example/v1" }]
    raiPolicyName: p
`
  expect(problemsOf(text)).toEqual([
    '7:5: filterEngines[0].url: is needed by an engine of kind http',
    '3:28: raiBlocklists[0].terms[0]: got "", expected a text with something in it, without half characters',
    '5:5: raiTopics[0].description: missing, expected a string',
    '10:11: raiPolicies[0].mode: got "Sometimes", expected one of "Default", "Blocking", "Asynchronous_filter", "Deferred"',
  ])
})

describe('texts in files', () => {
  const config = (text: string) =>
    `raiPolicies:\n  - name: p\n    protectedTexts: [{ name: song, file: ${text} }]\n    protectedCode: [{ name: sort, file: song.txt, license: MIT }]\n`

  test('are read from beside the configuration file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ponto-config-'))
    try {
      writeFileSync(join(folder, 'song.txt'), 'la '.repeat(40))
      writeFileSync(join(folder, 'ponto.yaml'), config('song.txt'))
      const load = await loadConfig(join(folder, 'ponto.yaml'), options)
      expect('config' in load && load.config.filters.policies[0]?.spec).toMatchObject({
        protectedTexts: [{ name: 'song', text: 'la '.repeat(40) }],
        protectedCode: [{ name: 'sort', text: 'la '.repeat(40), license: 'MIT' }],
      })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test('that are not there, too long or no text are told in their place', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ponto-config-'))
    const file = join(folder, 'ponto.yaml')
    const told = async (name: string) => {
      writeFileSync(file, config(name))
      const load = await loadConfig(file, options)
      return 'failure' in load ? formatFailure(load.failure) : ''
    }
    try {
      writeFileSync(join(folder, 'song.txt'), 'la '.repeat(40))
      writeFileSync(join(folder, 'bad.txt'), Buffer.from([0xff, 0xfe, 0xfd]))
      writeFileSync(join(folder, 'long.txt'), 'x'.repeat(4 * 1024 * 1024 + 1))
      writeFileSync(join(folder, 'longish.txt'), 'x'.repeat(1_000_001))
      const place = `${file}:3:42: raiPolicies[0].protectedTexts[0].file: cannot be used: `
      expect(await told('none.txt')).toBe(`${place}there is no file ${join(folder, 'none.txt')}`)
      expect(await told('bad.txt')).toBe(`${place}the text is not UTF-8`)
      expect(await told('long.txt')).toBe(`${place}the file has 4194305 bytes, expected at most 4194304`)
      expect(await told('.')).toBe(`${place}this is no regular file`)
      expect(await told('longish.txt')).toContain('protectedTexts[0].text: got "xxx')
      expect(await told('song.txt')).toBe('')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
