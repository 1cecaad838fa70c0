import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../src/core/json.ts'
import { makeEngine, makeList, makePlan, makeRule, makeSide } from '../../src/policy/filter/filter.fixture.ts'
import { createPiiRule } from '../../src/policy/filter/pii/pii-rule.ts'
import type { FilterPlan } from '../../src/policy/filter/plan.ts'
import {
  encrypted,
  foldStream,
  signature,
  streamAnswer,
  toldAnswers,
} from '../../src/wire/anthropic-messages/answer/told.fixture.ts'
import { type FakeUpstream, json, type Step, sseHead } from '../support/fake-upstream.ts'
import { startFiltered } from '../support/filtered.ts'
import { type Harness, testKey } from '../support/harness.ts'

/** The Messages API at both ends, with filters between: an answer is read and judged, and what only this protocol says still arrives. */

let upstream: FakeUpstream
let ponto: Harness
let plan: FilterPlan

beforeAll(async () => {
  ;({ upstream, ponto } = await startFiltered(() => plan))
  const backends = [{ url: `${upstream.url}/anthropic/`, protocol: 'anthropic' }] as const
  ponto.deploy({ name: 'claude', model: { name: 'claude-x' }, raiPolicyName: 'own', backends: [...backends] })
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
})
beforeEach(() => {
  upstream.requests.length = 0
  plan = strict
})

const pii = createPiiRule(
  new Map([
    ['Email', 'redact'],
    ['CreditCardNumber', 'redact'],
    ['PhoneNumber', 'redact'],
  ]),
  false,
)
const blocklists = [makeList('secret', ['tangerine', 'text', 'thinking', 'end_turn', 'standard'])]
const strict = makePlan({ completion: makeSide({ rules: [makeRule('hate')], blocklists, pii }) })

function say(answer: JsonObject, size?: number): void {
  upstream.respond(({ body }) => {
    if (JSON.parse(body).stream !== true) return json(answer)
    const events = streamAnswer(answer, size).map(
      (event): Step => ({ do: 'send', text: `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n` }),
    )
    return [sseHead, ...events, { do: 'end' }]
  })
}

const question = { role: 'user', content: 'hello' }

async function ask(stream: boolean, messages: readonly object[] = [question]): Promise<JsonObject> {
  const body = { model: 'claude', max_tokens: 50, messages, stream }
  const response = await ponto.post('/anthropic/v1/messages', body, { 'x-api-key': testKey })
  expect(response.status).toBe(200)
  return stream ? foldStream(await response.text()) : response.json()
}

const named = (name: string) => toldAnswers[name] as JsonObject
const blocksOf = (answer: JsonObject) => answer.content as JsonObject[]

describe.each([
  ['whole', false],
  ['streamed', true],
] as const)('%s', (_name, stream) => {
  test.each(Object.entries(toldAnswers))('%s arrives as it was', async (_what, answer) => {
    for (const size of [3, 1000]) {
      say(answer, size)
      expect(await ask(stream)).toEqual(answer)
    }
  })

  test('a second turn has the signatures of the first, also where its prompt is written anew', async () => {
    plan = makePlan({ prompt: makeSide({ pii }), completion: strict.completion })
    for (const content of ['hello', 'I am ann@example.com']) {
      upstream.requests.length = 0
      const answer = named('encrypted thoughts')
      say(answer)
      const first = await ask(stream)
      const results = [{ type: 'tool_result', tool_use_id: 'toolu_01A', content: 'Sunny.' }]
      await ask(stream, [
        { role: 'user', content },
        { role: 'assistant', content: first.content as object[] },
        { role: 'user', content: results },
      ])
      const sent = upstream.requests[1]?.body ?? ''
      expect(sent).not.toContain('ann@')
      expect(JSON.parse(sent).messages[1]).toEqual({ role: 'assistant', content: answer.content })
    }
  })

  const finds: [string, string, string][] = [
    ['a citation', 'citations', 'An apple a day.'],
    ['a result of the server', 'tools of the server', 'Apples of the year'],
    ['what the server was asked', 'tools of the server', 'in\\" season'],
    ['the name of an argument', 'tools of the server', '"cities"'],
    ['what code of the server wrote', 'tools of the server', '"ok"'],
    ['a block of tomorrow', 'a block of tomorrow', 'So far.'],
  ]
  test.each(finds)('what is to be kept back is found in %s', async (_where, name, words) => {
    const bad = words.startsWith('"') ? '"a tangerine"' : 'a tangerine'
    const told = JSON.stringify(named(name))
    expect(told).toContain(words)
    say(JSON.parse(told.replaceAll(words, bad)))
    const answer = await ask(stream)
    expect(JSON.stringify(answer)).not.toContain('a tangerine')
    expect(answer.stop_reason).toBe('refusal')
  })

  test('each citation is read by itself, and at its ends too', async () => {
    const [, block] = blocksOf(named('citations')) as [JsonObject, JsonObject]
    const [citation] = block.citations as [JsonObject]
    for (const texts of [
      ['a tangerine', 'and more'],
      ['some fruit', 'tangerine and more'],
    ]) {
      const citations = texts.map((cited_text) => ({ ...citation, cited_text }))
      say({ ...named('citations'), content: [{ ...block, citations }] })
      const answer = await ask(stream)
      expect(JSON.stringify(answer)).not.toContain('tangerine')
      expect(answer.stop_reason).toBe('refusal')
    }
  })

  test('what is split between two blocks is read as one', async () => {
    const text = (text: string) => ({ type: 'text', text })
    say({ ...named('citations'), content: [text('A tan'), text('gerine.')] })
    expect(await ask(stream)).toMatchObject({ stop_reason: 'refusal' })
    say({ ...named('citations'), content: [text('Ask ann@exam'), text('ple.com now.')] })
    const texts = blocksOf(await ask(stream)).map(({ text }) => text as string)
    expect(texts).toHaveLength(2)
    expect(texts.join('')).not.toContain('ann@')
    expect(texts[1]).toEndWith(' now.')
  })

  test('a judge that takes its time reads what servers found', async () => {
    const rules = [makeRule('violence', { usesBuiltin: false, engines: [makeEngine()] })]
    plan = makePlan({ completion: makeSide({ rules }) })
    const answer = named('tools of the server')
    say(answer)
    expect(await ask(stream)).toEqual(answer)
    say(JSON.parse(JSON.stringify(answer).replaceAll('Apples of the year', 'A wicked thing')))
    expect(JSON.stringify(await ask(stream))).not.toContain('wicked')
  })

  test('what was made unreadable is no longer signed; everything else stays', async () => {
    const answer = named('thoughts between tools')
    say(JSON.parse(JSON.stringify(answer).replace('Then Rome.', 'Then ann@example.com now.')))
    const blocks = blocksOf(await ask(stream))
    const changed = blocks[2] as JsonObject
    expect(changed).toMatchObject({ type: 'thinking', signature: '' })
    expect(changed.thinking).not.toContain('ann@')
    expect(blocks).toEqual(blocksOf(answer).with(2, changed))
  })

  test('citations and sealed fields stay where a text beside them was changed', async () => {
    const answer = named('tools of the server')
    const email = 'What ann@example.com wrote ripens'
    say(JSON.parse(JSON.stringify(answer).replaceAll('Apples ripen', email).replaceAll('They ripen', email)))
    const blocks = blocksOf(await ask(stream))
    expect(JSON.stringify(blocks)).not.toContain('ann@')
    expect(blocks[3]?.text).toEndWith(' in autumn.')
    const [citation] = (blocks[3] as JsonObject).citations as JsonObject[]
    expect(citation).toMatchObject({ encrypted_index: encrypted, url: 'https://fruit.example/apples' })
    expect(citation?.cited_text).toEndWith(' in autumn.')
    expect(blocks.filter((_, place) => place !== 3)).toEqual(blocksOf(answer).toSpliced(3, 1))
  })

  test('a signature that is none is judged', async () => {
    const answer = named('thoughts before a tool')
    say(JSON.parse(JSON.stringify(answer).replaceAll(signature, 'a tangerine')))
    expect(JSON.stringify(await ask(stream))).not.toContain('tangerine')
  })
})
