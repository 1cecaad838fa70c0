import { describe, expect, test } from 'bun:test'
import { makeDeployment } from '../../core/exchange.fixture.ts'
import { openRecord, type RequestRecord } from '../../core/usage/request-record.ts'
import { createCallFacts } from './call-facts.ts'
import type { Family, Sample } from './family.ts'
import { azureFamilies } from './views/azure-families.ts'
import { genAiFamilies } from './views/genai-families.ts'
import { pontoFamilies } from './views/ponto-families.ts'

function makeRecord(more: Partial<RequestRecord> = {}): RequestRecord {
  const known = {
    surface: 'openai-chat',
    operation: 'chat',
    deployment: 'gpt',
    model: 'gpt-4o',
    modelVersion: '1',
  } as const
  return { ...openRecord('r', 0, 0), ...known, outcome: 'done', status: 200, totalMs: 100, upstreamMs: 50, ...more }
}

const told = (families: readonly Family[], name: string): readonly Sample[] => {
  const family = families.find((one) => one.name === name)
  if (!family) throw new Error(`there is no ${name}`)
  for (const { labels } of family.samples) expect(labels).toHaveLength(family.labels.length)
  return family.samples
}
const values = (samples: readonly Sample[]) =>
  samples.map((sample) => ('value' in sample ? sample.value : sample.histogram.count))
const labelOf = (families: readonly Family[], name: string, label: string) => {
  const at = families.find((one) => one.name === name)?.labels.indexOf(label) as number
  return told(families, name).map(({ labels }) => labels[at] as string)
}

const streamed = { isStream: true, firstTokenMs: 200, totalMs: 1_200, promptTokens: 100, completionTokens: 11 }

test('a stream is told in all three tongues', () => {
  const facts = createCallFacts()
  facts.note(makeRecord({ ...streamed, cachedTokens: 40, reasoningTokens: 2, tier: 'default', queueMs: 30 }))
  const ponto = pontoFamilies(facts)
  expect(values(told(ponto, 'ponto.requests'))).toEqual([1])
  expect(labelOf(ponto, 'ponto.tokens', 'kind')).toEqual(['prompt', 'cached', 'completion', 'reasoning'])
  expect(values(told(ponto, 'ponto.tokens'))).toEqual([100, 40, 11, 2])
  expect(told(ponto, 'ponto.between_tokens.duration')).toMatchObject([{ histogram: { sum: 0.1, count: 1 } }])
  expect(told(ponto, 'ponto.queue.duration')).toMatchObject([{ histogram: { sum: 0.03, count: 1 } }])

  const genAi = genAiFamilies(facts)
  expect(labelOf(genAi, 'gen_ai.client.token.usage', 'gen_ai.token.type')).toEqual(['input', 'output'])
  expect(labelOf(genAi, 'gen_ai.server.time_to_first_token', 'gen_ai.response.model')).toEqual(['gpt-4o-1'])
  expect(told(genAi, 'gen_ai.server.time_to_first_token')).toMatchObject([{ histogram: { sum: 0.2 } }])

  const azure = azureFamilies(facts, 'local', [])
  expect(told(azure, 'azure_ModelRequests')).toEqual(told(azure, 'azure_AzureOpenAIRequests'))
  expect(told(azure, 'azure_TimeToResponse')).toMatchObject([{ histogram: { sum: 200, count: 1 } }])
  expect(told(azure, 'azure_TimeToLastByte')).toMatchObject([{ histogram: { sum: 1200 } }])
  expect(told(azure, 'azure_NormalizedTimeToFirstToken')).toMatchObject([{ histogram: { sum: 2 } }])
  expect(told(azure, 'azure_NormalizedTimeBetweenTokens')).toMatchObject([{ histogram: { sum: 100 } }])
  expect(told(azure, 'azure_TokensPerSecond')).toMatchObject([{ histogram: { sum: 10 } }])
  const counts = ['InputTokens', 'OutputTokens', 'TotalTokens', 'ActiveTokens', 'cacheReadInputTokens']
  expect(counts.map((name) => values(told(azure, `azure_${name}`))[0])).toEqual([100, 11, 111, 71, 40])
})

test('views add up what they do not tell apart', () => {
  const facts = createCallFacts()
  facts.note(makeRecord())
  facts.note(makeRecord({ surface: 'anthropic-messages' }))
  facts.note(makeRecord({ isBatch: true }))
  facts.note(makeRecord({ tier: 'priority' }))
  facts.note(makeRecord({ status: 502, code: 'upstream-failed', outcome: 'failed' }))
  expect(values(told(pontoFamilies(facts), 'ponto.requests')).toSorted()).toEqual([1, 1, 1, 1, 1])
  const durations = genAiFamilies(facts)
  expect(values(told(durations, 'gen_ai.server.request.duration')).toSorted()).toEqual([1, 4])
  expect(labelOf(durations, 'gen_ai.server.request.duration', 'error.type').toSorted()).toEqual(['', 'upstream-failed'])
  expect(values(told(azureFamilies(facts, 'local', []), 'azure_TimeToResponse')).toSorted()).toEqual([1, 1, 3])
})

test('what was asked for and does not exist is counted, and never a label', () => {
  const facts = createCallFacts()
  for (let i = 0; i < 1_000; i++) {
    facts.note(
      makeRecord({
        deployment: '',
        model: '',
        modelVersion: '',
        asked: `stranger-${i}`,
        status: 404,
        code: 'deployment-not-found',
      }),
    )
  }
  const families = [...pontoFamilies(facts), ...genAiFamilies(facts), ...azureFamilies(facts, 'local', [])]
  expect(JSON.stringify(families)).not.toContain('stranger')
  expect(values(told(families, 'ponto.requests'))).toEqual([1_000])
})

test('attempts are told by backend; the one that answered was at work until the end', () => {
  const facts = createCallFacts()
  facts.note(
    makeRecord({
      totalMs: 500,
      attempts: [
        { backend: 'http://a:81/v1#x', spanId: '', startedMs: 0, ms: 100, status: 503, code: 'upstream-failed' },
        { backend: 'https://b.example/v1#y', spanId: '', startedMs: 100, ms: 50, status: 200, code: '' },
      ],
    }),
  )
  const ponto = pontoFamilies(facts)
  expect(labelOf(ponto, 'ponto.backend.attempts', 'code')).toEqual(['upstream-failed', ''])
  expect(told(ponto, 'ponto.backend.duration')).toMatchObject([
    { histogram: { sum: 0.1 } },
    { histogram: { sum: 0.05 } },
  ])
  const genAi = genAiFamilies(facts)
  expect(told(genAi, 'gen_ai.client.operation.duration')).toMatchObject([
    { histogram: { sum: 0.1 } },
    { histogram: { sum: 0.4 } },
  ])
  expect(labelOf(genAi, 'gen_ai.client.operation.duration', 'server.address')).toEqual(['a', 'b.example'])
  expect(labelOf(genAi, 'gen_ai.client.operation.duration', 'server.port')).toEqual(['81', '443'])
})

describe('refusals', () => {
  const counter = { limit: 1, used: 1, cost: 1, resetMs: 1 }
  const decision = {
    deployment: 'gpt',
    promptTokens: 1,
    completionTokens: 1,
    isGuess: false,
    counters: [
      { ...counter, owner: 'deployment', measure: 'tokens' },
      { ...counter, owner: 'key', measure: 'requests' },
    ],
  } as const
  const refused = { ...decision, action: 'refused', refusedBy: 1 } as const
  const limited = { status: 429, code: 'rate-limited', outcome: 'refused' } as const
  const attempt = { backend: 'b', spanId: '', startedMs: 0, ms: 1, status: 429, code: 'rate-limited' } as const

  test.each<[string, Partial<RequestRecord>, readonly (readonly string[])[]]>([
    ['by the rule that refused', { ...limited, limits: [refused] }, [['gpt', 'key', 'requests']]],
    [
      'also where another deployment answered then',
      {
        deployment: 'other',
        spilledFrom: 'gpt',
        limits: [refused, { ...decision, deployment: 'other', action: 'admitted', refusedBy: -1 }],
      },
      [['gpt', 'key', 'requests']],
    ],
    ['of a budget', { ...limited, code: 'budget-exhausted' }, [['gpt', 'key', 'budget']]],
    ['of an upstream', { ...limited, attempts: [attempt] }, [['gpt', 'backend', 'rate']]],
    ['for want of a place', limited, [['gpt', 'backend', 'places']]],
    ['of the engine', { ...limited, code: 'engine-busy' }, [['gpt', 'backend', 'queue']]],
    ['none', {}, []],
  ])('are counted %s', (_what, more, expected) => {
    const facts = createCallFacts()
    facts.note(makeRecord(more))
    expect(facts.limited().map(({ deployment, words }) => [deployment, ...words])).toEqual(
      expected.map((one) => [...one]),
    )
  })
})

test('findings are counted by what was found and whether it was kept back', () => {
  const facts = createCallFacts()
  const finding = { source: 'Prompt', category: 'hate', severity: 'high', policy: 'p', engine: 'e' } as const
  const record = makeRecord({
    filterPolicy: 'p',
    findings: [
      { ...finding, filtered: true },
      { ...finding, filtered: false },
    ],
  })
  facts.note(record)
  facts.note({ ...record, hasFilterError: true, findings: [{ ...finding, filtered: true }] })
  expect(facts.findings().map(({ words, count }) => [...words, count])).toEqual([
    ['Prompt', 'hate', 'high', 'filtered', 2],
    ['Prompt', 'hate', 'high', 'annotated', 1],
  ])
  const azure = azureFamilies(facts, 'local', [])
  expect(values(told(azure, 'azure_RAITotalRequests'))).toEqual([2])
  expect(values(told(azure, 'azure_RAIRejectedRequests'))).toEqual([2])
  expect(values(told(azure, 'azure_RAIHarmfulRequests'))).toEqual([3])
  expect(values(told(azure, 'azure_RAISystemEvent'))).toEqual([1])
})

test('what runs is counted up and down, and what is no more is forgotten when nothing of it runs', () => {
  const facts = createCallFacts()
  const deployment = makeDeployment({ name: 'gpt' })
  const holds = [facts.holdRunning(deployment, ''), facts.holdRunning(deployment, '')]
  const running = () => facts.running().map(({ deployment, count }) => [deployment, count])
  expect(running()).toEqual([['gpt', 2]])
  facts.note(makeRecord())
  facts.keepOnly(() => false)
  expect(running()).toEqual([['gpt', 2]])
  for (const hold of holds) hold.release({} as never, 'done')
  expect(running()).toEqual([['gpt', 0]])
  facts.keepOnly((name) => name === 'gpt')
  expect(facts.lanes()).toHaveLength(1)
  facts.keepOnly(() => false)
  expect(facts.lanes()).toEqual([])
})

test('resources are told apart', () => {
  const facts = createCallFacts()
  facts.note(makeRecord({ resource: 'one' }))
  facts.note(makeRecord({ resource: 'two' }))
  expect(labelOf(pontoFamilies(facts), 'ponto.requests', 'resource')).toEqual(['one', 'two'])
})
