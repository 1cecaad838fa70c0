import { beforeEach, describe, expect, test } from 'bun:test'
import type { EngineSpec } from '../../backend/guards/kinds.ts'
import { Fault } from '../../core/fault.ts'
import type { FilterPlan } from '../../policy/filter/plan.ts'
import type { BlocklistSpec } from './blocklist-spec.ts'
import { createPlanCompiler, type PlanCompiler, type ProtectedText } from './compile-plan.ts'
import { createMemoryTable, makePolicy, openState } from './filters.fixture.ts'
import type { FiltersState } from './filters-state.ts'
import type { PolicyInput } from './policy-spec.ts'

const song = 'la '.repeat(40)
const code = 'for (;;) {} '.repeat(10)

let state: FiltersState
let compiler: PlanCompiler
/** Engines that were opened and not closed, and how many ever were. */
let open: EngineSpec[]
let opened: number
let indexed: (readonly ProtectedText[])[]
let secret: string | undefined

beforeEach(async () => {
  state = await openState(createMemoryTable())
  open = []
  opened = 0
  indexed = []
  secret = 'one'
  compiler = createPlanCompiler({
    detector: {
      label: 'builtin/test',
      screen: { find: () => [], open: () => ({ feed: () => [], end: () => [], settled: 0 }) },
      analyse: () => [],
    },
    readCredential({ credential }) {
      if (credential && secret === undefined) throw new Fault('upstream-misconfigured', 'it does not open')
      return credential && secret
    },
    openEngine(spec) {
      if (spec.name === 'odd') throw new Fault('upstream-misconfigured', 'no such profile')
      opened++
      open.push(spec)
      return {
        engine: {
          name: spec.name,
          label: `${spec.kind}/${spec.name}`,
          categories: new Set(['hate'] as const),
          maxChars: 1,
          deadlineMs: { prompt: 1, window: 1 },
          judge: async () => ({ findings: [] }),
        },
        close: () => {
          open = open.filter((other) => other !== spec)
        },
      }
    },
    indexProtected(texts) {
      indexed.push(texts)
      return { find: () => [] }
    },
  })
})

const policy = (input: PolicyInput) => state.policies.write(input.name, () => makePolicy(input))
const blocklist = (name: string, ...terms: string[]) =>
  state.blocklists.write(name, () => ({
    name,
    items: terms.map((term) => ({ name: `item-${term}`, pattern: term, isRegex: /[\\+]/.test(term) })),
  }))
const engine = (name: string, more: object = {}) =>
  state.engines.write(name, () => ({ name, kind: 'http', url: 'https://a.example', ...more }))
const plan = (name: string): FilterPlan => compiler.compile(state, []).find(name) as FilterPlan

describe('a plan', () => {
  test('of the default policy', () => {
    const compiled = plan('MICROSOFT.defaultv2')
    expect(compiled).toMatchObject({
      policy: 'Microsoft.DefaultV2',
      mode: 'blocking',
      scope: { messages: 'last-user', toolResults: false, exemptSystem: true },
      promptCheck: 'concurrent',
      spotlighting: false,
      strictAzureChunks: false,
      isSelectable: true,
      protectedTexts: undefined,
      protectedCode: undefined,
    })
    expect(compiled.prompt.rules.map(({ category }) => category)).toEqual([
      'hate',
      'sexual',
      'violence',
      'self_harm',
      'jailbreak',
    ])
    expect(compiled.prompt.rules[0]).toEqual({
      category: 'hate',
      leastSeverity: 4,
      blocking: true,
      usesBuiltin: true,
      engines: [],
      combine: 'max',
      onError: 'open',
    })
    expect([compiled.prompt.isEmpty, compiled.completion.isEmpty]).toEqual([false, false])
  })

  test('that is empty says so; one of lists alone is not', async () => {
    expect([plan('Microsoft.Nil').prompt.isEmpty, plan('Microsoft.Nil').completion.isEmpty]).toEqual([true, true])
    await blocklist('words', 'pizza')
    await policy({
      name: 'lists',
      basePolicyName: 'Microsoft.Nil',
      customBlocklists: [{ blocklistName: 'words', source: 'Prompt' }],
    })
    expect([plan('lists').prompt.isEmpty, plan('lists').completion.isEmpty]).toEqual([false, true])
  })

  test('finds terms and patterns of its lists, and knows the item of each', async () => {
    await blocklist('words', 'pizza', 'a+b\\d', 'lasagne')
    await policy({
      name: 'lists',
      customBlocklists: [{ blocklistName: 'WORDS', source: 'Completion', blocking: false }],
    })
    const [rule] = plan('lists').completion.blocklists
    expect([rule?.name, rule?.blocking]).toEqual(['words', false])
    const items = (text: string) =>
      rule?.matcher
        .find(text)
        .map(({ pattern }) => rule.itemOf(pattern))
        .sort()
    expect(items('a lasagne, a Pizza and aab7')).toEqual(['item-a+b\\d', 'item-lasagne', 'item-pizza'])
    expect(items('nothing of the kind')).toEqual([])
  })

  test('an empty list finds nothing', async () => {
    await blocklist('words')
    await policy({ name: 'lists', customBlocklists: [{ blocklistName: 'words', source: 'Prompt' }] })
    const [rule] = plan('lists').prompt.blocklists
    expect(rule?.matcher.find('anything')).toEqual([])
    const stream = rule?.matcher.open()
    expect([stream?.feed('anything'), stream?.settled, stream?.end()]).toEqual([[], 8, []])
  })

  test('has personal data by type, or all types by what the filter does', async () => {
    await policy({
      name: 'some',
      contentFilters: [
        { name: 'PII', source: 'Prompt', piiTypes: [{ type: 'Email', action: 'redact' }], restoresRedacted: true },
        { name: 'PII', source: 'Completion', blocking: false },
      ],
    })
    const { prompt, completion } = plan('some')
    expect([[...(prompt.pii?.actions ?? [])], prompt.pii?.restores]).toEqual([[['Email', 'redact']], true])
    expect(prompt.pii?.find('write to ann@mail.example now').map(({ type }) => type)).toEqual(['Email'])
    expect(new Set(completion.pii?.actions.values())).toEqual(new Set(['annotate']))
    expect(completion.pii?.actions.size).toBeGreaterThan(30)
    expect(plan('Microsoft.Default').prompt.pii).toBeUndefined()
  })

  test('asks the engines that its filters name', async () => {
    await engine('Guard', { credential: { env: 'PONTO_SECRET_X' } })
    await policy({
      name: 'strict',
      mode: 'Deferred',
      contentFilters: [
        { name: 'Hate', source: 'Prompt', engines: ['builtin', 'guard'], combine: 'vote', onError: 'closed' },
        { name: 'Hate', source: 'Completion', engines: ['guard'] },
        { name: 'PII', source: 'Completion', engines: ['guard'] },
      ],
    })
    const compiled = plan('strict')
    expect(compiled.mode).toBe('asynchronous')
    const [first] = compiled.prompt.rules
    expect(first).toMatchObject({ usesBuiltin: true, combine: 'vote', onError: 'closed' })
    const [second] = compiled.completion.rules
    expect(second).toMatchObject({ usesBuiltin: false, engines: [{ name: 'Guard' }] })
    expect(second?.engines[0]).toBe(first?.engines[0] as never)
    expect(compiled.completion.pii).toBeUndefined()
    expect(open).toEqual([{ name: 'Guard', kind: 'http', url: 'https://a.example', credential: 'one' }])
  })

  test('has topics, and texts that answers shall not repeat', async () => {
    await state.topics.write('t', () => ({ name: 'T', description: 'd', examples: ['x'] }))
    await policy({
      name: 'p',
      customTopics: [{ topicName: 't', source: 'Completion', blocking: false }],
      protectedTexts: [{ name: 'song', text: song }],
      protectedCode: [{ name: 'sort', text: code, url: 'https://a.example/x', license: 'MIT' }],
    })
    const compiled = plan('p')
    expect(compiled.completion.topics).toEqual([{ name: 't', description: 'd', examples: ['x'], blocking: false }])
    expect(compiled.completion.rules.at(-1)).toMatchObject({ category: 'custom_topics', usesBuiltin: true })
    expect([compiled.protectedTexts, compiled.protectedCode]).not.toContain(undefined)
    expect(indexed).toEqual([
      [{ name: 'song', text: song }],
      [
        {
          name: 'sort',
          text: code,
          annotation: { citation: { URL: 'https://a.example/x', license: 'MIT' } },
        },
      ],
    ])
  })
})

describe('what has not changed', () => {
  test('is the same plan after a change elsewhere, and after reopening of what it is made of', async () => {
    await blocklist('words', ...Array.from({ length: 10_000 }, (_, i) => `term${i}`))
    await engine('guard')
    await policy({
      name: 'p',
      customBlocklists: [{ blocklistName: 'words', source: 'Prompt' }],
      contentFilters: [{ name: 'Hate', source: 'Prompt', engines: ['guard'] }],
      protectedTexts: [{ name: 'song', text: song }],
    })
    const first = plan('p')
    await policy({ name: 'other' })
    await blocklist('others', 'x')
    expect(plan('p')).toBe(first)
    expect([opened, indexed.length]).toEqual([1, 1])
  })

  test('a list with the same items is not compiled anew for another policy or description', async () => {
    await blocklist('words', 'pizza')
    const customBlocklists = [{ blocklistName: 'words', source: 'Prompt' as const }]
    await policy({ name: 'a', customBlocklists })
    await policy({ name: 'b', customBlocklists })
    const { matcher } = plan('a').prompt.blocklists[0] as { matcher: unknown }
    expect(plan('b').prompt.blocklists[0]?.matcher).toBe(matcher as never)
    await state.blocklists.write('words', (current) => ({ ...(current?.spec as BlocklistSpec), description: 'new' }))
    expect(plan('a').prompt.blocklists[0]?.matcher).toBe(matcher as never)
  })
})

describe('a version', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['an item', () => blocklist('words', 'pizza', 'pasta')],
    ['the engine', () => engine('guard', { maxChars: 500 })],
    [
      "the engine's secret",
      async () => {
        secret = 'two'
      },
    ],
    ['the topic', () => state.topics.write('t', () => ({ name: 't', description: 'other', examples: ['x'] }))],
    ['a threshold', () => make({ severityThreshold: 'Low' })],
    ['a protected text', () => make({}, { protectedTexts: [{ name: 'song', text: song.replace('la', 'lo') }] })],
  ])('is another when %s changes', async (_what, change) => {
    await blocklist('words', 'pizza')
    await engine('guard', { credential: { env: 'PONTO_SECRET_X' } })
    await state.topics.write('t', () => ({ name: 't', description: 'd', examples: ['x'] }))
    await make()
    const { version } = plan('p')
    expect(plan('p').version).toBe(version)
    await change()
    expect(plan('p').version).not.toBe(version)
    expect(version).not.toContain('one')
  })

  function make(filter: object = {}, more: Partial<PolicyInput> = {}) {
    return policy({
      name: 'p',
      contentFilters: [{ name: 'Hate', source: 'Prompt', engines: ['guard'], ...filter }],
      customBlocklists: [{ blocklistName: 'words', source: 'Prompt' }],
      customTopics: [{ topicName: 't', source: 'Prompt' }],
      protectedTexts: [{ name: 'song', text: song }],
      ...more,
    })
  }
})

describe('connections', () => {
  const uses = (name: string, ...engines: string[]) =>
    policy({ name, contentFilters: [{ name: 'Hate', source: 'Prompt', engines }] })

  test('go with the engine: when it changes, and when nobody has it any more', async () => {
    await engine('guard')
    await uses('p', 'guard')
    plan('p')
    await engine('guard', { maxChars: 500 })
    plan('p')
    expect([opened, open.map(({ maxChars }) => maxChars)]).toEqual([2, [500]])
    await state.policies.remove('p')
    compiler.compile(state, [])
    expect(open).toEqual([])
  })

  test('all close at the end', async () => {
    await engine('guard')
    await uses('p', 'guard')
    plan('p')
    compiler.close()
    expect(open).toEqual([])
  })
})

describe('what cannot work', () => {
  test.each([
    ['an engine whose secret does not open', 'guard', 'it does not open'],
    ['an engine that cannot be made', 'odd', 'no such profile'],
  ])('%s stays in its policy and says so when it is asked', async (_what, name, message) => {
    await engine(name, { credential: { env: 'PONTO_SECRET_X' } })
    await policy({ name: 'p', contentFilters: [{ name: 'Hate', source: 'Prompt', engines: [name] }] })
    if (name === 'guard') secret = undefined
    const [rule] = plan('p').prompt.rules
    const asked = rule?.engines[0]?.judge([], {
      categories: new Set(),
      source: 'Prompt',
      topics: [],
      signal: new AbortController().signal,
    })
    await expect(asked).rejects.toThrow(message)
    expect(compiler.listWarnings()).toEqual([])
  })

  test('a policy that names what is gone refuses calls instead of letting them through, and is told', async () => {
    await state.policies.write('p', () =>
      makePolicy({ name: 'p', customBlocklists: [{ blocklistName: 'gone', source: 'Prompt' }] }),
    )
    const filters = compiler.compile(state, [])
    expect(() => filters.find('P')).toThrow('The content filter policy "P" cannot be used at the moment.')
    expect(compiler.listWarnings()).toEqual([
      'The content filter policy "p" cannot be used, and calls under it are refused: It names the blocklist "gone", which there is no longer.',
    ])
    await blocklist('gone', 'x')
    expect(compiler.compile(state, []).find('p')?.policy).toBe('p')
    expect(compiler.listWarnings()).toEqual([])
  })

  test('so does a policy that deployments have and that is none; one that nobody has is none', () => {
    const filters = compiler.compile(state, ['lost'])
    expect(() => filters.find('LOST')).toThrow('The content filter policy "LOST" cannot be used at the moment.')
    expect(filters.find('another')).toBeUndefined()
    expect(compiler.listWarnings()).toEqual([
      'There is no content filter policy "lost", which deployments have; calls to them are refused.',
    ])
  })
})
