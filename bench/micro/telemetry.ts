import { makeDeployment, makeExchange } from '../../src/core/exchange.fixture.ts'
import type { Exchange } from '../../src/core/exchange.ts'
import { releaseHolds } from '../../src/core/exchange.ts'
import type { Reply } from '../../src/core/reply.ts'
import { openRecord } from '../../src/core/usage/request-record.ts'
import { createCallFacts } from '../../src/telemetry/metrics/call-facts.ts'
import { renderPrometheus } from '../../src/telemetry/metrics/prometheus-text.ts'
import { azureFamilies } from '../../src/telemetry/metrics/views/azure-families.ts'
import { genAiFamilies } from '../../src/telemetry/metrics/views/genai-families.ts'
import { pontoFamilies } from '../../src/telemetry/metrics/views/ponto-families.ts'
import { type CallObserver, observeCalls } from '../../src/telemetry/observe-calls.ts'
import { createSampler } from '../../src/telemetry/traces/sampler.ts'
import type { Bench } from './bench.ts'

/** What being counted and traced costs a request; what sends the spans away is not a request's affair. */

const answered = Promise.resolve<Reply>({ kind: 'whole', result: { kind: 'chat', choices: [] } })
const next = () => answered
const facts = createCallFacts()
const counting = observeCalls(facts, undefined, () => 'ponto')
const keep = createSampler({ isParentBased: true, ratio: 1 })
const drop = createSampler({ isParentBased: true, ratio: 0 })
const tracing = observeCalls(facts, { sample: keep, take: () => {} }, () => 'ponto')
const unsampled = observeCalls(facts, { sample: drop, take: () => {} }, () => 'ponto')

/** A streamed call to each of 100 deployments, in three lanes each. */
const exchanges: readonly Exchange[] = Array.from({ length: 300 }, (_, i) => {
  const name = `gpt-${i % 100}`
  const attempt = { spanId: '', startedMs: 1, ms: 80, status: 200, code: '' } as const
  const record = {
    ...openRecord(`r${i}`, 0, 0),
    attempts: [{ ...attempt, backend: `https://upstream-${i % 100}.example/v1#0123456789ab` }],
    surface: 'openai-chat',
    operation: i < 200 ? ('chat' as const) : ('completion' as const),
    isStream: i < 100,
    deployment: name,
    model: 'gpt-4o',
    modelVersion: '2024-11-20',
    tier: 'default' as const,
    outcome: 'done' as const,
    status: 200,
    promptTokens: 300,
    completionTokens: 120,
    cachedTokens: 200,
    upstreamMs: 80,
    firstTokenMs: i < 100 ? 90 : -1,
    totalMs: 900,
  }
  return makeExchange({ deployment: makeDeployment({ name }), record })
})

/** All that a request passes of it. */
function pass({ policy, listener }: CallObserver): Bench['run'] {
  return (times) => {
    for (let i = 0; i < times; i++) {
      const exchange = exchanges[i % exchanges.length] as Exchange
      exchange.record.trace = undefined
      void policy(exchange, next)
      releaseHolds(exchange, 'done')
      listener(exchange, 'done', undefined)
    }
  }
}

const render = (): void => {
  renderPrometheus([...pontoFamilies(facts), ...genAiFamilies(facts), ...azureFamilies(facts, 'local', [])])
}

export const telemetryBenches: readonly Bench[] = [
  { name: 'telemetry: a call counted, 100 deployments in 3 lanes each', run: pass(counting) },
  { name: 'telemetry: the same and traced, but not sampled', run: pass(unsampled) },
  { name: 'telemetry: the same and traced, sampled', run: pass(tracing) },
  {
    name: 'telemetry: one scrape of these 300 lanes, all names',
    run: (times) => {
      for (let i = 0; i < times; i++) render()
    },
  },
]
