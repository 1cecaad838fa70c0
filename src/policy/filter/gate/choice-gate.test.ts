import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Event } from '../../../core/event.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { AnswerResult, Choice } from '../../../core/result.ts'
import { directionOf } from '../direction.ts'
import { makeEngine, makeList, makePlan, makeRemote, makeRule, makeSide } from '../filter.fixture.ts'
import { createPiiRule } from '../pii/pii-rule.ts'
import type { FilterPlan } from '../plan.ts'
import { gateEvents } from './gate-events.ts'
import { gateResult } from './gate-result.ts'

/** What a choice says in more than one place, streamed and whole. */

function optionsOf(plan: FilterPlan, isJson = false) {
  return {
    context: {
      direction: directionOf(plan, 'Completion'),
      asked: [],
      documents: [],
      signal: new AbortController().signal,
      remote: makeRemote(),
    },
    isJson,
    isExplained: false,
    promptChars: 0,
    writeRedaction: ({ type }: { type: string }) => `[${type}]`,
    onJudged: () => {},
  }
}

async function* send(events: readonly Event[]): AsyncGenerator<Event> {
  yield* events
}

const gate = (plan: FilterPlan, events: AsyncIterable<Event>, isJson = false, choices = 1) =>
  gateEvents(events, { ...optionsOf(plan, isJson), choices, first: undefined })

const stream = (plan: FilterPlan, events: readonly Event[], isJson = false, choices = 1) =>
  Array.fromAsync(gate(plan, send([...events, end]), isJson, choices))

async function whole(plan: FilterPlan, choice: Partial<Choice>, isJson = false, more: Partial<AnswerResult> = {}) {
  const result: AnswerResult = {
    kind: 'chat',
    choices: [{ index: 0, text: 'Fine.', finishReason: 'stop', ...choice }],
    ...more,
  }
  return gateResult(result, { ...optionsOf(plan, isJson), promptFilter: undefined })
}

const text = (words: string): Event => ({ type: 'text-delta', choice: 0, text: words })
const thought = (words: string): Event => ({ type: 'reasoning-delta', choice: 0, text: words })
const wire = 'openai-chat'
const rest = (fields: JsonObject): Event => ({ type: 'message-rest', choice: 0, rest: { wire, fields } })
const end: Event = { type: 'choice-end', choice: 0, reason: 'stop' }

const reasonOf = (events: readonly Event[]) =>
  events.flatMap((event) => (event.type === 'choice-end' ? [event.reason] : []))
const said = (events: readonly Event[], type: Event['type'] = 'text-delta') =>
  events.map((event) => (event.type === type && 'text' in event ? event.text : '')).join('')

const listPlan = makePlan({ completion: makeSide({ blocklists: [makeList('secret', ['tangerine'])] }) })
const guardPlan = makePlan({
  completion: makeSide({ rules: [makeRule('violence', { usesBuiltin: false, engines: [makeEngine()] })] }),
})
const redactPlan = makePlan({
  completion: makeSide({
    pii: createPiiRule(
      new Map([
        ['Email', 'redact'],
        ['CreditCardNumber', 'redact'],
      ]),
      false,
    ),
  }),
})

describe('a text that another one follows', () => {
  /** How many events the upstream has sent when the first of the text comes out. */
  async function sentBefore(plan: FilterPlan, ending: string): Promise<number> {
    let sent = 0
    async function* upstream(): AsyncGenerator<Event> {
      yield thought(ending)
      for (let i = 0; i < 100; i++) {
        sent++
        await Promise.resolve()
        yield text(`Word ${i} of the answer. `)
      }
      yield end
    }
    for await (const event of gate(plan, upstream())) if (event.type === 'text-delta') return sent
    return sent
  }

  test('does not hold up the other one until the end, whatever it ends with', async () => {
    expect(await sentBefore(listPlan, 'They want a tang')).toBeLessThan(10)
    expect(await sentBefore(makePlan(), 'They call it grumbel')).toBeLessThan(10)
    expect(await sentBefore(guardPlan, 'They want a')).toBeLessThan(30)
  })

  test('goes out whole and in its order, in front of the other one', async () => {
    const events = await stream(listPlan, [thought('They want a tang'), text('Word of the answer. '.repeat(5))])
    expect(events.map(({ type }) => type)).toEqual(['reasoning-delta', 'reasoning-delta', 'text-delta', 'choice-end'])
    expect(said(events, 'reasoning-delta')).toBe('They want a tang')
  })

  test('is stopped for what it ends with, and when it goes on after all', async () => {
    const answer = text('Word of the answer. '.repeat(5))
    const ending = await stream(listPlan, [thought('They want a tangerine'), answer])
    expect([said(ending, 'reasoning-delta'), said(ending), reasonOf(ending)]).toEqual([
      'They want a ',
      '',
      ['content_filter'],
    ])
    const later = await stream(listPlan, [thought('They want a tang'), answer, thought('erine')])
    expect(said(later, 'reasoning-delta')).toBe('They want a tang')
    expect(reasonOf(later)).toEqual(['content_filter'])
    const guarded = await stream(guardPlan, [thought('Something wicked'), answer])
    expect([said(guarded, 'reasoning-delta'), reasonOf(guarded)]).toEqual(['Something ', ['content_filter']])
  })
})

describe('unknown fields', () => {
  test('of a message are each read on from piece to piece, whatever comes between', async () => {
    const events = await stream(listPlan, [
      rest({ audio: { transcript: 'a tang' } }),
      rest({ audio: { data: 'UklGRg==' } }),
      rest({ audio: { transcript: 'erine' } }),
    ])
    expect(JSON.stringify(events)).not.toContain('tang')
    expect(reasonOf(events)).toEqual(['content_filter'])
  })

  test('that are whole are each judged by themselves, and held up by nothing', async () => {
    const told = (title: string): Event => ({ ...rest({ title }), isWhole: true }) as Event
    for (const titles of [
      ['a tangerine', 'peel'],
      ['some fruit', 'tangerine peel'],
    ]) {
      const events = await stream(listPlan, titles.map(told))
      expect(JSON.stringify(events)).not.toContain('tangerine')
      expect(reasonOf(events)).toEqual(['content_filter'])
    }
    let sent = 0
    async function* upstream(): AsyncGenerator<Event> {
      for (const title of ['a tang', 'a grumbel', 'done']) {
        sent++
        yield told(title)
      }
      yield end
    }
    const seen: number[] = []
    for await (const { type } of gate(listPlan, upstream())) if (type === 'message-rest') seen.push(sent)
    expect(seen).toEqual([1, 2, 3])
  })

  test('that only the serving model reads, or that are words of a protocol, are none of its answer', async () => {
    const sealed = 'EqQBCgIYAhIM4111111111111111tangerine+/=='
    const fields = { block: { type: 'tangerine', signature: sealed, source: { data: sealed }, list: [{ id: sealed }] } }
    const both = makePlan({ completion: { ...redactPlan.completion, blocklists: listPlan.completion.blocklists } })
    expect(await stream(both, [rest(fields)])).toMatchObject([{ rest: { fields } }, { reason: 'stop' }])
    const { choices } = await whole(both, { messageRest: { wire, fields } })
    expect(choices[0]).toMatchObject({ messageRest: { fields }, finishReason: 'stop' })
    const unsealed: JsonObject[] = [
      { signature: 'a tangerine' },
      { type: 'A tangerine' },
      { id: 'tangerine' },
      { note: `${sealed} tangerine` },
      { data: ['tangerine'] },
    ]
    for (const said of unsealed) {
      expect(reasonOf(await stream(both, [rest({ block: said })]))).toEqual(['content_filter'])
      const told = await whole(both, { messageRest: { wire, fields: { block: said } } })
      expect(told.choices[0]?.finishReason).toBe('content_filter')
    }
  })

  test('do not come between the pieces of a text, whatever their name', async () => {
    const events = await stream(listPlan, [text('a tang'), rest({ text: 'x' }), text('erine')])
    expect([said(events), reasonOf(events)]).toEqual(['a ', ['content_filter']])
  })

  test('of a choice are judged with its text, streamed', async () => {
    const doubled = (words: string): Event => ({ ...text('ok '), rest: { wire, fields: { text: words } } }) as Event
    const events = await stream(listPlan, [doubled('a tang'), doubled('erine')])
    expect(JSON.stringify(events)).not.toContain('tang')
    expect(reasonOf(events)).toEqual(['content_filter'])
    const last: Event = { ...end, rest: { wire, fields: { note: 'tangerine' } } } as Event
    const ended = await Array.fromAsync(gate(listPlan, send([text('Fine.'), last])))
    expect([said(ended), reasonOf(ended)]).toEqual(['Fine.', ['content_filter']])
    expect(JSON.stringify(ended)).not.toContain('tangerine')
  })

  test('of a choice and its message are judged, whole', async () => {
    for (const field of ['rest', 'messageRest'] as const) {
      for (const plan of [listPlan, guardPlan]) {
        const { choices } = await whole(plan, { [field]: { wire, fields: { a: [{ b: 'wicked tangerine' }] } } })
        expect(choices[0]).toMatchObject({ text: null, finishReason: 'content_filter' })
      }
    }
  })

  test('of the answer are left out where they say something that is kept back', async () => {
    const fields = { citations: ['a tangerine'], provider: 'somebody', prompt_filter_results: [{ id: 'tangerine' }] }
    const { citations, ...kept } = fields
    const result = await whole(listPlan, {}, false, { rest: { wire, fields } })
    expect([result.rest?.fields, result.choices[0]?.text]).toEqual([kept, 'Fine.'])
    for (const type of ['answer-start', 'answer-rest'] as const) {
      const [first] = await stream(listPlan, [{ type, rest: { wire, fields } }, text('Fine.')])
      expect(first).toEqual({ type, rest: { wire, fields: kept } })
    }
  })

  test("an upstream's own annotations are none of its answer", async () => {
    const plan = makePlan({ completion: makeSide({ blocklists: [makeList('words', ['safe'])] }) })
    const fields = { content_filter_results: { hate: { filtered: false, severity: 'safe' } } }
    const events = await stream(plan, [{ ...text('Fine.'), rest: { wire, fields } } as Event])
    expect([said(events), reasonOf(events)]).toEqual(['Fine.', ['stop']])
    expect((await whole(plan, { rest: { wire, fields } })).choices[0]?.finishReason).toBe('stop')
  })
})

describe('personal data', () => {
  const fields = { audio: { id: 'x', transcript: 'write to ann@example.com now' } }

  test('is made unreadable in unknown fields too', async () => {
    const expected = { audio: { id: 'x', transcript: 'write to [Email] now' } }
    const events = await stream(redactPlan, [rest(fields)])
    expect(events[0]).toMatchObject({ type: 'message-rest', rest: { fields: expected } })
    const result = await whole(redactPlan, { messageRest: { wire, fields }, rest: { wire, fields } })
    expect(result.choices[0]).toMatchObject({ messageRest: { fields: expected }, rest: { fields: expected } })
  })

  test('in JSON the same whole and streamed, in names, numbers and escapes, and nothing else changes', async () => {
    const pieces = [
      '"ann@example.com":1,',
      '"card":4111111111111111,',
      '"to":"bob\\u0040example.org \\n",',
      '"n":1e400,',
    ]
    const raws = fc.array(fc.constantFrom(...pieces), { maxLength: 6 }).map((all) => `{${all.join('')}"id":"\\\\x"}`)
    const cuts = fc.array(fc.nat(200), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(raws, cuts, async (raw, places) => {
        const toolCalls = [{ id: 'c', name: 'mail', arguments: raw }]
        const { choices } = await whole(redactPlan, { text: null, toolCalls })
        const written = choices[0]?.toolCalls?.[0]?.arguments
        expect(written).toBe(
          raw
            .replaceAll('ann@example.com', '[Email]')
            .replaceAll('bob\\u0040example.org', '[Email]')
            .replaceAll('4111111111111111', '[CreditCardNumber]'),
        )
        const at = [...new Set([0, ...places.filter((place) => place < raw.length), raw.length])].sort((a, b) => a - b)
        const events = await stream(redactPlan, [
          { type: 'tool-call-start', choice: 0, index: 0, id: 'c', name: 'mail' },
          ...at.slice(1).map((place, i): Event => {
            return { type: 'tool-call-delta', choice: 0, index: 0, arguments: raw.slice(at[i], place) }
          }),
        ])
        const told = events.map((event) => (event.type === 'tool-call-delta' ? event.arguments : '')).join('')
        expect(told).toBe(written as string)
      }),
      { numRuns: 200 },
    )
    const answer = await whole(redactPlan, { text: '{"to":"ann\\u0040example.com"}' }, true)
    expect(answer.choices[0]?.text).toBe('{"to":"[Email]"}')
  })

  test('is made unreadable in the pieces of a choice as in the whole of it, with what stands between', async () => {
    const between = { wire, fields: { title: 'by bob@example.org' } }
    const pieces: Choice['pieces'] = [
      { type: 'reasoning-delta', choice: 0, text: 'A card?' },
      { type: 'text-delta', choice: 0, text: 'Write to ann@exam' },
      { type: 'message-rest', choice: 0, rest: between },
      { type: 'text-delta', choice: 0, text: 'ple.com now, ' },
      { type: 'tool-call-start', choice: 0, index: 0, id: 'c', name: 'mail' },
      { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{"to":"ann\\u0040' },
      { type: 'tool-call-delta', choice: 0, index: 0, arguments: 'example.com"}' },
      { type: 'text-delta', choice: 0, text: 'will you?' },
    ]
    const { choices } = await whole(redactPlan, {
      text: 'Write to ann@example.com now, will you?',
      reasoning: 'A card?',
      toolCalls: [{ id: 'c', name: 'mail', arguments: '{"to":"ann\\u0040example.com"}' }],
      pieces,
    })
    expect(choices[0]?.text).toBe('Write to [Email] now, will you?')
    expect(choices[0]?.toolCalls?.[0]?.arguments).toBe('{"to":"[Email]"}')
    expect(choices[0]?.pieces).toEqual([
      { type: 'reasoning-delta', choice: 0, text: 'A card?' },
      { type: 'text-delta', choice: 0, text: 'Write to [Email]' },
      { type: 'message-rest', choice: 0, rest: { wire, fields: { title: 'by [Email]' } } },
      { type: 'text-delta', choice: 0, text: ' now, ' },
      { type: 'tool-call-start', choice: 0, index: 0, id: 'c', name: 'mail' },
      { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{"to":"[Email]' },
      { type: 'tool-call-delta', choice: 0, index: 0, arguments: '"}' },
      { type: 'text-delta', choice: 0, text: 'will you?' },
    ])
    const rests: Choice['pieces'] = [
      { type: 'message-rest', choice: 0, rest: { wire, fields: { a: 'wicked tangerine' } } },
    ]
    for (const plan of [listPlan, guardPlan]) {
      expect((await whole(plan, { pieces: rests })).choices[0]?.finishReason).toBe('content_filter')
    }
  })

  test('that is to be unreadable does not go out ahead of that either', async () => {
    const plan = makePlan({ mode: 'asynchronous', completion: { ...redactPlan.completion } })
    const events = await stream(plan, [...'write to ann@example.com now'].map(text))
    expect(said(events)).toBe('write to [Email] now')
  })
})

describe('JSON', () => {
  const isKept = async (raw: string) => {
    const start: Event = { type: 'tool-call-start', choice: 0, index: 0, id: 'c', name: 'eat' }
    const args = [...raw].map((one): Event => ({ type: 'tool-call-delta', choice: 0, index: 0, arguments: one }))
    const toolCalls = [{ id: 'c', name: 'eat', arguments: raw }]
    return [
      reasonOf(await stream(listPlan, [start, ...args]))[0],
      reasonOf(await stream(listPlan, [...raw].map(text), true))[0],
      (await whole(listPlan, { text: null, toolCalls })).choices[0]?.finishReason,
      (await whole(listPlan, { text: raw }, true)).choices[0]?.finishReason,
    ]
  }

  test('is judged as it reads decoded, and as it is written', async () => {
    for (const raw of ['{"a":"t\\u0061ngerine"}', '{"a":"\\tangerine"}', '{"\\n":"\\n","a":"tangerine"}']) {
      expect(await isKept(raw)).toEqual(Array(4).fill('content_filter'))
    }
    expect(await isKept('{"a":"\\n\\tangerin\\u0065s"}')).toEqual(Array(4).fill('stop'))
  })
})

describe('choices', () => {
  test('that nobody asked for neither hang nor end the others', async () => {
    const odd = 4_000_000_000
    const events = await stream(
      listPlan,
      [
        { type: 'text-delta', choice: odd, text: 'odd' },
        { type: 'choice-end', choice: odd, reason: 'stop' },
        text('a '),
        text('b'),
      ],
      false,
      1,
    )
    expect(events.map((event) => (event.type === 'text-delta' && event.choice === 0 ? event.text : '')).join('')).toBe(
      'a b',
    )
  })
})
