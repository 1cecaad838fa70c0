import { describe, expect, test } from 'bun:test'
import type { FilterEngine, Finding } from '../../../core/filter/engine.ts'
import { makeEngine, makeRemote, makeRule } from '../filter.fixture.ts'
import type { FilterRule } from '../plan.ts'
import { createBreaker } from './breaker.ts'
import { judgeRemotely, type RemoteParts } from './judge-remotely.ts'
import { placeFinding, splitSegments } from './split.ts'
import { createVerdictCache } from './verdict-cache.ts'

const violence = (severity: number): Finding => ({ category: 'violence', severity })
const says = (name: string, severity: number) =>
  makeEngine({ name, answer: async () => ({ findings: severity === 0 ? [] : [violence(severity)] }) })
const fails = (name: string) => makeEngine({ name, answer: () => Promise.reject(new Error('broken')) })

function ask(
  rules: readonly FilterRule[],
  parts: RemoteParts = makeRemote(),
  text = 'a text',
  builtin: readonly Finding[] = [],
) {
  return judgeRemotely(
    {
      rules,
      version: '1',
      segments: [{ role: 'user', text }],
      source: 'Prompt',
      topics: [],
      pace: 'prompt',
      signal: new AbortController().signal,
      builtin: { label: 'builtin/1', find: () => builtin },
    },
    parts,
  )
}

const rule = (engines: readonly FilterEngine[], own: Partial<FilterRule> = {}) =>
  makeRule('violence', { usesBuiltin: false, engines, ...own })
const severities = async (asked: ReturnType<typeof ask>) =>
  (await asked).found.map(({ finding, engine }) => [engine, finding.severity])

describe('a long text', () => {
  test('does not drown its engine, and each portion has its time', async () => {
    let open = 0
    let most = 0
    const engine = makeEngine({
      maxChars: 1_000,
      answer: async (segments) => {
        most = Math.max(most, ++open)
        await new Promise((resolve) => setTimeout(resolve, 30))
        open--
        return { findings: segments.some(({ text }) => text.includes('wicked')) ? [violence(6)] : [] }
      },
    })
    const words = Array.from({ length: 16_000 }, (_, index) => `w${index}`).join(' ')
    const verdict = await ask([rule([engine])], makeRemote(), `${words} wicked`)
    expect(engine.asked.length).toBeGreaterThan(90)
    expect(most).toBe(8)
    expect(verdict.failed).toEqual([])
    expect(verdict.found.map(({ finding }) => finding.severity)).toEqual([6])
  })

  test('is given up with its first portion that fails', async () => {
    const engine = makeEngine({ maxChars: 1_000, answer: () => Promise.reject(new Error('broken')) })
    const verdict = await ask([rule([engine])], makeRemote(), 'word '.repeat(16_000))
    expect(verdict.failed).toHaveLength(1)
    expect(engine.asked.length).toBeLessThan(10)
  })
})

describe('several engines', () => {
  test('are asked once each, with all categories they judge, whatever the number of rules', async () => {
    const engine = says('one', 0)
    await ask([rule([engine]), makeRule('hate', { usesBuiltin: false, engines: [engine] })])
    expect(engine.asked.map(({ question }) => [...question.categories])).toEqual([['violence', 'hate']])
  })

  test('max, first and vote', async () => {
    const three = [says('a', 2), says('b', 6), says('c', 4)]
    expect(await severities(ask([rule(three, { combine: 'max' })]))).toEqual([
      ['fake/a', 2],
      ['fake/b', 6],
      ['fake/c', 4],
    ])
    expect(await severities(ask([rule(three, { combine: 'first' })]))).toEqual([['fake/a', 2]])
    expect(await severities(ask([rule(three, { combine: 'vote' })]))).toEqual([['fake/b', 4]])
  })

  test('the first that answers decides; the builtin has a vote where it is asked', async () => {
    expect(await severities(ask([rule([fails('a'), says('b', 6)], { combine: 'first' })]))).toEqual([['fake/b', 6]])
    const vote = rule([says('a', 6), says('b', 0)], { combine: 'vote', usesBuiltin: true })
    expect(await severities(ask([vote], makeRemote(), 't', [violence(4)]))).toEqual([['fake/a', 4]])
    expect(await severities(ask([vote], makeRemote(), 't', []))).toEqual([])
  })

  test('where none can, the rule has failed and the builtin speaks', async () => {
    const verdict = await ask([rule([fails('a'), fails('b')])], makeRemote(), 't', [violence(6)])
    expect(verdict.failed).toHaveLength(1)
    expect(verdict.found).toEqual([{ engine: 'builtin/1', finding: violence(6) }])
  })
})

describe('a breaker', () => {
  test('leaves alone what has failed five times in ten seconds, and asks again after as long', () => {
    let now = 0
    const breaker = createBreaker(() => now)
    const engine = says('a', 0)
    for (let i = 0; i < 5; i++) {
      expect(breaker.isClosed(engine)).toBe(true)
      breaker.noteFailure(engine)
      now += 1_000
    }
    expect(breaker.isClosed(engine)).toBe(false)
    now += 9_000
    expect(breaker.isClosed(engine)).toBe(true)
    for (let i = 0; i < 10; i++) {
      breaker.noteFailure(engine)
      now += 3_000
    }
    expect(breaker.isClosed(engine)).toBe(true)
  })
})

describe('verdicts', () => {
  test('are kept by text, question and version, and forgotten in the order of use', async () => {
    const engine = says('a', 6)
    const parts = { ...makeRemote(), cache: createVerdictCache(2) }
    for (const text of ['x', 'x', 'y', 'x', 'z', 'x', 'y']) await ask([rule([engine])], parts, text)
    expect(engine.asked.map(({ segments }) => segments[0]?.text)).toEqual(['x', 'y', 'z', 'y'])
  })

  test('failures are not kept', async () => {
    const engine = fails('a')
    const parts = makeRemote()
    await ask([rule([engine])], parts)
    await ask([rule([engine])], parts)
    expect(engine.asked).toHaveLength(2)
  })
})

describe('an engine that answers a part only', () => {
  test('is believed in what it found; about the rest it has said nothing, and is asked again', async () => {
    const partial = makeEngine({ answer: async () => ({ findings: [violence(6)], isPartial: true }) })
    const rules = [rule([partial]), makeRule('hate', { usesBuiltin: false, engines: [partial] })]
    const parts = makeRemote()
    const verdict = await ask(rules, parts)
    expect(verdict.found.map(({ finding }) => finding)).toEqual([violence(6)])
    expect(verdict.failed.map(({ category }) => category)).toEqual(['hate'])
    await ask(rules, parts)
    expect(partial.asked).toHaveLength(2)
  })
})

describe('a text that is longer than an engine takes', () => {
  test('is judged in parts that overlap, and findings are told where they stand', async () => {
    const text = `${'a'.repeat(995)}wicked${'b'.repeat(1_500)}wicked`
    const engine = makeEngine({ maxChars: 1_000 })
    const { found } = await ask([rule([engine])], makeRemote(), text)
    const places = new Set(found.map(({ finding }) => finding.span?.start))
    expect(places).toEqual(new Set([995, 2_501]))
    expect(engine.asked.every(({ segments }) => (segments[0]?.text.length ?? 0) <= 1_000)).toBe(true)
  })

  test('of an answer the question stands in every portion', () => {
    const question = { role: 'user' as const, text: 'q'.repeat(30) }
    const portions = splitSegments([question, { role: 'assistant', text: 'a'.repeat(200) }], 100, 'Completion')
    expect(portions.length).toBeGreaterThan(1)
    for (const { segments, at } of portions) {
      expect(segments.map(({ role }) => role)).toEqual(['user', 'assistant'])
      expect(at.map(({ segment }) => segment)).toEqual([0, 1])
      expect(segments.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(100)
    }
  })

  test('segments stay together where they fit', () => {
    const segments = ['one', 'two', 'x'.repeat(25)].map((text) => ({ role: 'user' as const, text }))
    const portions = splitSegments(segments, 10)
    expect(portions[0]?.segments.map(({ text }) => text)).toEqual(['one', 'two'])
    expect(portions.every((portion) => portion.segments.reduce((sum, { text }) => sum + text.length, 0) <= 10)).toBe(
      true,
    )
    const last = portions.at(-1)
    expect(last && placeFinding({ ...violence(6), span: { segment: 0, start: 0, end: 1 } }, last).span?.segment).toBe(2)
  })
})
