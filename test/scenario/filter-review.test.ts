import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import type { Deployment } from '../../src/core/deployment.ts'
import type { Explanation } from '../../src/core/filter/results.ts'
import type { Usage } from '../../src/core/usage/usage.ts'
import {
  makeEngine,
  makeList,
  makePlan,
  makeRemote,
  makeRule,
  makeSide,
} from '../../src/policy/filter/filter.fixture.ts'
import { createFilterPolicy } from '../../src/policy/filter/filter-policy.ts'
import type { FilterPlan } from '../../src/policy/filter/plan.ts'
import { createSpillOver } from '../../src/policy/spill-over.ts'
import { type FakeUpstream, json, startFakeUpstream } from '../support/fake-upstream.ts'
import { type Harness, startHarness, testKey } from '../support/harness.ts'
import { sayEverywhere } from '../support/told-answers.ts'

/** What a review of the content filters found: ways round them, and what could stop the server. */

let upstream: FakeUpstream
let ponto: Harness
const plans = new Map<string, FilterPlan>()
const noted: (readonly Explanation[])[] = []
const counted: (Usage | undefined)[] = []

beforeAll(async () => {
  upstream = await startFakeUpstream()
  ponto = await startHarness({
    listeners: [({ tally }) => void counted.push(tally.usage)],
    policies: [
      createFilterPolicy({
        findPlan: (name) => plans.get(name.toLowerCase()),
        remote: makeRemote(),
        onFinding: (_exchange, _wasFiltered, explanations) => void noted.push(explanations),
        decodeTokens: async (inputs) => inputs.map(() => 'fine'),
      }),
    ],
  })
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
})
beforeEach(() => {
  upstream.requests.length = 0
  noted.length = 0
  counted.length = 0
})

function deploy(plan: FilterPlan): void {
  plans.set('own', plan)
  const backends = [{ url: `${upstream.url}/v1` }]
  ponto.deploy({ name: 'gpt', model: { name: 'gpt-4o' }, raiPolicyName: 'own', backends })
}

const path = '/openai/deployments/gpt/chat/completions?api-version=2024-10-21'
const bad = [{ role: 'user', content: 'grumbel wuffels' }]
const hello = [{ role: 'user', content: 'hello' }]

test('an upstream that fails before the guard has spoken fails only its call', async () => {
  const unhandled: unknown[] = []
  const note = (error: unknown) => void unhandled.push(error)
  process.on('unhandledRejection', note)
  const engine = makeEngine({ delayMs: 60 })
  const rules = [makeRule('violence', { usesBuiltin: false, engines: [engine] })]
  deploy(makePlan({ prompt: makeSide({ rules }), completion: makeSide() }))
  upstream.respond(() => json({ error: { message: 'no', code: 'odd' } }, 400))
  expect((await ponto.post(path, { messages: hello })).status).toBe(400)
  expect((await ponto.post(path, { messages: [{ role: 'user', content: 'wicked' }] })).status).toBe(400)
  // Rejections that nobody took are told once what is due has been done.
  await new Promise((resolve) => setTimeout(resolve, 20))
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})

test('an answer that was there before its prompt was refused counts', async () => {
  const rules = [makeRule('violence', { usesBuiltin: false, engines: [makeEngine({ delayMs: 100 })] })]
  deploy(makePlan({ prompt: makeSide({ rules }), completion: makeSide() }))
  sayEverywhere(upstream, { text: ['Fine.'] })
  expect((await ponto.post(path, { messages: [{ role: 'user', content: 'wicked' }] })).status).toBe(400)
  expect(counted).toEqual([{ promptTokens: 3, completionTokens: 4 }])
})

test('what an upstream may read in a request is what was judged', async () => {
  deploy(makePlan())
  sayEverywhere(upstream, { text: ['Fine.'] })
  const twice = `{"messages":${JSON.stringify(bad)},"messages":${JSON.stringify(hello)}}`
  expect((await ponto.post(path, twice)).status).toBe(200)
  expect(upstream.requests[0]?.body).not.toContain('grumbel')
  const lookAlikes = [
    { messages: hello, Messages: bad },
    { messages: hello, me\u017f\u017fages: bad },
    { messages: [{ role: 'user', content: 'hello', Content: 'grumbel wuffels' }] },
    { messages: [{ role: 'user', content: [{ type: 'text', text: 'hello', TEXT: 'grumbel wuffels' }] }] },
  ]
  for (const body of lookAlikes) {
    const response = await ponto.post(path, body)
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('Unknown field')
  }
  expect(upstream.requests).toHaveLength(1)
})

test('documents ground an answer also where no prompt is judged', async () => {
  const rules = [makeRule('ungrounded_material')]
  deploy(makePlan({ prompt: makeSide(), completion: makeSide({ rules }) }))
  sayEverywhere(upstream, { text: ['The harbour of Lisbon was closed by a volcano in the year 1931.'] })
  const content = 'Sum up. <documents>The library opens on Monday at nine and closes at five.</documents>'
  const response = await ponto.post(path, { messages: [{ role: 'user', content }] })
  expect(await response.json()).toMatchObject({
    choices: [{ content_filter_results: { ungrounded_material: { detected: true, filtered: true } } }],
  })
})

test('other fields of an answer are judged, and what is found in them is told', async () => {
  deploy(makePlan({ completion: makeSide({ blocklists: [makeList('secret', ['tangerine'])] }) }))
  const message = { role: 'assistant', content: 'Fine.' }
  const choices = [{ index: 0, finish_reason: 'stop', message }]
  upstream.respond(() => json({ id: 'x', model: 'm', created: 1, choices, citations: ['a tangerine'], note: 'kept' }))
  const answer = await (await ponto.post(path, { messages: hello })).json()
  expect(answer).toMatchObject({ note: 'kept', choices: [{ message: { content: 'Fine.' } }] })
  expect(JSON.stringify(answer)).not.toContain('tangerine')
  expect(noted.flat().map(({ span }) => span?.at)).toEqual(['answer.citations[0]'])
})

test('a call that spills over to a deployment without a filter does not say that it has one', async () => {
  const policy = createFilterPolicy({
    findPlan: (name) => (name === 'own' ? makePlan() : undefined),
    remote: makeRemote(),
    onFinding: () => {},
    decodeTokens: async () => [],
  })
  let target: Deployment | undefined
  const own = await startHarness({
    policies: [
      (exchange, next) => {
        target = { ...exchange.deployment, name: 'free', filterPolicy: 'none' }
        return next(exchange)
      },
      createSpillOver(() => {
        sayEverywhere(upstream, { text: ['Fine.'] })
        return target
      }),
      policy,
    ],
  })
  try {
    const backends = [{ url: `${upstream.url}/v1` }]
    own.deploy({
      name: 'gpt',
      model: { name: 'gpt-4o' },
      raiPolicyName: 'own',
      spilloverDeploymentName: 'free',
      backends,
    })
    upstream.respond(() => json({ error: { message: 'busy' } }, 429))
    const response = await own.post(path, { messages: hello }, { 'api-key': testKey })
    expect(response.headers.get('x-ms-spillover-from-deployment')).toBe('gpt')
    expect(response.headers.get('x-content-filter-engine')).toBeNull()
  } finally {
    await own.stop()
  }
})
