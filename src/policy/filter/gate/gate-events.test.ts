import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Event } from '../../../core/event.ts'
import { collectResult } from '../../../core/result.ts'
import { directionOf } from '../direction.ts'
import { makeEngine, makeList, makePlan, makeRemote, makeRule, makeSide } from '../filter.fixture.ts'
import type { FilterPlan } from '../plan.ts'
import { type GateOptions, gateEvents } from './gate-events.ts'

type Given = {
  plan?: FilterPlan
  choices?: number
  isJson?: boolean
  failures?: string[]
  documents?: readonly string[]
}

function optionsOf({ plan = makePlan(), choices = 1, isJson = false, failures, documents = [] }: Given): GateOptions {
  return {
    context: {
      direction: directionOf(plan, 'Completion'),
      asked: [{ role: 'user', text: 'a question' }],
      documents,
      signal: new AbortController().signal,
      remote: makeRemote(failures),
    },
    choices,
    isJson,
    isExplained: true,
    promptChars: 0,
    first: undefined,
    writeRedaction: ({ type }) => `[${type}]`,
    onJudged: () => {},
  }
}

type Upstream = { events: AsyncIterable<Event>; isStopped: () => boolean; sent: () => number }

function send(events: readonly (Event | number)[]): Upstream {
  let isStopped = false
  let sent = 0
  async function* run(): AsyncGenerator<Event> {
    try {
      for (const event of events) {
        if (typeof event === 'number') await new Promise((resolve) => setTimeout(resolve, event))
        else {
          sent++
          yield event
        }
      }
    } finally {
      isStopped = true
    }
  }
  return { events: run(), isStopped: () => isStopped, sent: () => sent }
}

const text = (words: string, choice = 0): Event => ({ type: 'text-delta', choice, text: words })
const end = (choice = 0): Event => ({ type: 'choice-end', choice, reason: 'stop' })
const usage: Event = { type: 'usage', usage: { promptTokens: 3, completionTokens: 4 } }

async function run(upstream: Upstream, given: Given = {}): Promise<Event[]> {
  return Array.fromAsync(gateEvents(upstream.events, optionsOf(given)))
}

const said = (events: readonly Event[], choice = 0): string =>
  events.map((event) => (event.type === 'text-delta' && event.choice === choice ? event.text : '')).join('')
const reasonOf = (events: readonly Event[], choice = 0) =>
  events.flatMap((event) => (event.type === 'choice-end' && event.choice === choice ? [event.reason] : []))

const listPlan = makePlan({ completion: makeSide({ blocklists: [makeList('secret', ['tangerine', 'blue moon'])] }) })

/** A text cut anywhere, and the answer that it is. */
const cuts = (words: string) =>
  fc.array(fc.integer({ min: 0, max: words.length }), { maxLength: 12 }).map((places) => {
    const at = [...new Set([0, ...places, words.length])].sort((a, b) => a - b)
    return at.slice(1).map((place, i) => words.slice(at[i], place))
  })

describe('an answer that nothing is found in', () => {
  test('goes out as it came, with annotations, and usage last', async () => {
    const events = await run(send([text('All '), text('is well.'), end(), usage]))
    expect(said(events)).toBe('All is well.')
    expect(events.at(-1)).toEqual(usage)
    const clean = { hate: { filtered: false, severity: 'safe' } }
    expect(events.filter((event) => event.type === 'text-delta').map(({ filter }) => filter)).toEqual([clean, clean])
    expect(await collectResult('chat', send([...events]).events)).toMatchObject({
      choices: [{ text: 'All is well.', finishReason: 'stop', filter: clean }],
    })
  })

  test('is not held back by a character', async () => {
    const events = gateEvents(
      send([text('Tell '), text('me mo'), 5_000, text('re'), end()]).events,
      optionsOf({ plan: listPlan }),
    )
    expect(await events.next()).toMatchObject({ value: { text: 'Tell ' } })
    expect(await events.next()).toMatchObject({ value: { text: 'me mo' } })
    await Promise.race([events.return(undefined), new Promise((resolve) => setTimeout(resolve, 1))])
  })

  test('what an upstream fails with comes through, behind what it said before', async () => {
    async function* failing(): AsyncGenerator<Event> {
      yield text('Begun ')
      throw new Error('broken')
    }
    const seen: Event[] = []
    const pull = async () => {
      for await (const event of gateEvents(failing(), optionsOf({}))) seen.push(event)
    }
    expect(pull()).rejects.toThrow('broken')
    await pull().catch(() => {})
    expect(said(seen)).toStartWith('Begun ')
  })
})

describe('a term on a list', () => {
  test('no letter of it goes out, however the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(cuts('I hid a tangerine under the blue moon.'), async (pieces) => {
        const upstream = send([...pieces.map((piece) => text(piece)), end(), usage])
        const events = await run(upstream, { plan: listPlan })
        expect(said(events)).toBe('I hid a ')
        expect(reasonOf(events)).toEqual(['content_filter'])
        expect(upstream.isStopped()).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test('what only begins like it goes out whole', async () => {
    await fc.assert(
      fc.asyncProperty(cuts('a tanger, a tangerines, a blue mood and a blue'), async (pieces) => {
        const events = await run(send([...pieces.map((piece) => text(piece)), end()]), { plan: listPlan })
        expect(said(events)).toBe('a tanger, a tangerines, a blue mood and a blue')
        expect(reasonOf(events)).toEqual(['stop'])
      }),
      { numRuns: 200 },
    )
  })

  test('ends its own choice only; the others go on, and the upstream with them', async () => {
    const upstream = send([
      text('a tang', 0),
      text('fine ', 1),
      text('erine ', 0),
      text('weather', 1),
      text('more', 0),
      end(0),
      end(1),
      usage,
    ])
    const events = await run(upstream, { plan: listPlan, choices: 2 })
    expect([said(events, 0), said(events, 1)]).toEqual(['a ', 'fine weather'])
    expect([reasonOf(events, 0), reasonOf(events, 1)]).toEqual([['content_filter'], ['stop']])
    expect(upstream.sent()).toBe(8)
  })

  test('is found in reasoning, refusal, names and arguments of tools, unknown fields', async () => {
    const ways: Event[][] = [
      [
        { type: 'reasoning-delta', choice: 0, text: 'a tange' },
        { type: 'reasoning-delta', choice: 0, text: 'rine.' },
      ],
      [{ type: 'refusal-delta', choice: 0, text: 'no tangerine' }],
      [{ type: 'tool-call-start', choice: 0, index: 0, id: 'c', name: 'tangerine' }],
      [
        { type: 'tool-call-start', choice: 0, index: 0, id: 'c', name: 'eat' },
        { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{"fruit":"tan' },
        { type: 'tool-call-delta', choice: 0, index: 0, arguments: 'gerine"}' },
      ],
      [
        { type: 'tool-call-start', choice: 0, index: 0, id: 'c', name: 'eat' },
        { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{"fruit":"t\\u00' },
        { type: 'tool-call-delta', choice: 0, index: 0, arguments: '61nger\\u0069ne"}' },
      ],
      [{ type: 'message-rest', choice: 0, rest: { wire: 'x', fields: { thoughts: [{ deep: 'a tangerine' }] } } }],
    ]
    for (const way of ways) {
      const events = await run(send([...way, end()]), { plan: listPlan })
      expect(JSON.stringify(events).replace(/"explanations".*/, '')).not.toContain('ang')
      expect(reasonOf(events)).toEqual(['content_filter'])
    }
  })

  test('alternating with another text of the message it is found as well', async () => {
    const thought: Event = { type: 'reasoning-delta', choice: 0, text: 'hm' }
    const events = await run(send([text('a tan'), thought, text('ger'), thought, text('ine'), end()]), {
      plan: listPlan,
    })
    expect(said(events)).toBe('a ')
  })

  test('is found in JSON that writes it with escapes', async () => {
    const events = await run(send([text('{"a":"tan\\u0067e'), text('rine"}'), end()]), { plan: listPlan, isJson: true })
    expect(said(events)).toBe('{"a":"')
  })

  test('is neither told by probabilities nor by their alternatives', async () => {
    const logprob = (token: string, top: string[] = []) => ({
      token,
      logprob: -1,
      bytes: null,
      top: top.map((other) => ({ token: other, logprob: -2, bytes: null })),
    })
    const lying: Event = {
      ...(text('fine') as Extract<Event, { type: 'text-delta' }>),
      logprobs: [logprob('tangerine')],
    }
    const events = await run(send([lying, end()]), { plan: listPlan })
    expect(JSON.stringify(events.filter(({ type }) => type === 'text-delta'))).not.toContain('tang')
    expect(reasonOf(events)).toEqual(['content_filter'])

    const silent: Event = {
      ...(text('') as Extract<Event, { type: 'text-delta' }>),
      logprobs: [logprob('tangerine')],
    }
    const without = await run(send([text('fine'), silent, end()]), { plan: listPlan })
    expect(JSON.stringify(without.filter(({ type }) => type === 'text-delta'))).not.toContain('tang')
    expect(reasonOf(without)).toEqual(['content_filter'])

    const hinting: Event = {
      ...(text('fine') as Extract<Event, { type: 'text-delta' }>),
      logprobs: [logprob('fine', ['tangerine', 'nice'])],
    }
    const others = await run(send([hinting, end()]), { plan: listPlan })
    expect(reasonOf(others)).toEqual(['stop'])
    expect(JSON.stringify(others)).toContain('nice')
    expect(JSON.stringify(others)).not.toContain('tangerine')
  })

  test('is only annotated where the list does not block', async () => {
    const plan = makePlan({ completion: makeSide({ blocklists: [makeList('watch', ['tangerine'], false)] }) })
    const events = await run(send([text('a tangerine'), end()]), { plan })
    expect(said(events)).toBe('a tangerine')
    expect(events.at(-1)).toMatchObject({
      reason: 'stop',
      filter: { custom_blocklists: { filtered: false, details: [{ id: 'watch', filtered: false }] } },
    })
  })
})

describe('what the builtin judges', () => {
  test('is judged with the rest of its clause before it goes out', async () => {
    await fc.assert(
      fc.asyncProperty(cuts('Well, grumbel wuffels, he said. And more.'), async (pieces) => {
        const events = await run(send([...pieces.map((piece) => text(piece)), end()]))
        expect(said(events)).toBe('Well, ')
        expect(events.at(-1)).toMatchObject({
          reason: 'content_filter',
          filter: { hate: { filtered: true, severity: 'high' } },
          explanations: [
            { category: 'hate', filtered: true, threshold: 'medium', engine: 'fake/1', rule: 'fake/hate' },
          ],
        })
      }),
      { numRuns: 100 },
    )
  })

  test('below the threshold it is annotated and goes out', async () => {
    const events = await run(send([text('a grumb'), text('el cat. '), text('Miaow'), end()]))
    expect(said(events)).toBe('a grumbel cat. Miaow')
    expect(events.at(-1)).toMatchObject({ filter: { hate: { filtered: false, severity: 'low' } } })
  })

  test('does not wait for the end of a clause when nothing comes', async () => {
    const upstream = send([text('a grumbel cat'), 400, text(' sat'), end()])
    const seen: { sent: number; text: string }[] = []
    for await (const event of gateEvents(upstream.events, optionsOf({}))) {
      if (event.type === 'text-delta') seen.push({ sent: upstream.sent(), text: event.text })
    }
    expect(seen).toEqual([
      { sent: 1, text: 'a ' },
      { sent: 1, text: 'grumbel cat' },
      { sent: 2, text: ' sat' },
    ])
  })
})

describe('a guard that takes its time', () => {
  const guarded = (own: Parameters<typeof makeEngine>[0] = {}, rule: Parameters<typeof makeRule>[1] = {}) => {
    const engine = makeEngine(own)
    const plan = makePlan({
      completion: makeSide({ rules: [makeRule('violence', { usesBuiltin: false, engines: [engine], ...rule })] }),
    })
    return { engine, plan }
  }

  test('nothing goes out that it has not seen, and sentences go out when it has', async () => {
    const { engine, plan } = guarded({ delayMs: 5 })
    const sentence = 'This sentence is a harmless one, as it seems. '
    const events = await run(
      send([text(sentence), 20, text(sentence), 20, text('Then something wicked came. '), end()]),
      { plan },
    )
    expect(said(events)).toStartWith(sentence.trimEnd())
    expect(said(events)).not.toContain('wicked')
    expect(reasonOf(events)).toEqual(['content_filter'])
    expect(engine.asked.length).toBeGreaterThan(1)
    expect(engine.asked.at(-1)?.question.source).toBe('Completion')
  })

  test('the end of an answer waits for its last verdict, and usage comes after', async () => {
    const { plan } = guarded({ delayMs: 30 })
    const events = await run(send([text('Short and good'), end(), usage]), { plan })
    expect(said(events)).toBe('Short and good')
    expect(events.map(({ type }) => type)).toEqual(['text-delta', 'choice-end', 'usage'])
  })

  test('a word across two windows is seen', async () => {
    const { plan } = guarded()
    const filler = 'x'.repeat(158)
    const events = await run(send([text(`${filler}wic`), text('ked and so on'), end()]), { plan })
    expect(reasonOf(events)).toEqual(['content_filter'])
  })

  test('that fails is annotated where the policy is open, and never called safe unseen', async () => {
    const failures: string[] = []
    const { plan } = guarded({ answer: () => Promise.reject(new Error('nonsense')) })
    const events = await run(send([text('Something.'), end()]), { plan, failures })
    expect(said(events)).toBe('Something.')
    expect(events.at(-1)).toMatchObject({ filter: { error: { code: 'content_filter_error' } } })
    expect(failures[0]).toBe('guard: nonsense')
  })

  test('that is too slow is given up, and the builtin speaks instead', async () => {
    const engine = { ...makeEngine({ delayMs: 60 }), deadlineMs: { prompt: 10, window: 10 } }
    const plan = makePlan({
      completion: makeSide({ rules: [makeRule('hate', { usesBuiltin: false, engines: [engine] })] }),
    })
    const events = await run(send([text('grumbel wuffels'), end()]), { plan })
    expect(said(events)).toBe('')
    expect(events.at(-1)).toMatchObject({
      reason: 'content_filter',
      filter: { error: { code: 'content_filter_error' }, hate: { filtered: true, severity: 'high' } },
    })
  })

  test('that fails ends the answer where the policy is closed', async () => {
    const { plan } = guarded({ answer: () => Promise.reject(new Error('x')) }, { onError: 'closed' })
    const upstream = send([text('Something.'), 20, text('else'), end()])
    expect(run(upstream, { plan })).rejects.toMatchObject({ code: 'filter-unavailable' })
  })

  test('of several the worst counts, the first, or what most of them say', async () => {
    const say = (severity: number) =>
      makeEngine({
        name: `s${severity}`,
        answer: async () => ({ findings: severity ? [{ category: 'violence', severity }] : [] }),
      })
    const reasonWith = async (combine: 'max' | 'first' | 'vote', severities: number[]) => {
      const rule = makeRule('violence', { usesBuiltin: false, engines: severities.map(say), combine })
      const plan = makePlan({ completion: makeSide({ rules: [rule] }) })
      return reasonOf(await run(send([text('Hm.'), end()]), { plan }))[0]
    }
    expect(await reasonWith('max', [0, 0, 6])).toBe('content_filter')
    expect(await reasonWith('first', [0, 6, 6])).toBe('stop')
    expect(await reasonWith('vote', [0, 6, 6])).toBe('content_filter')
    expect(await reasonWith('vote', [0, 0, 6])).toBe('stop')
  })
})

describe('an answer that goes out at once', () => {
  const asynchronous = (own: Partial<FilterPlan> = {}) => makePlan({ mode: 'asynchronous', ...own })

  test('has no annotations on its text, and some of its own', async () => {
    const events = await run(send([text('All is well.'), end(), usage]), { plan: asynchronous() })
    expect(events.map(({ type }) => type)).toEqual(['text-delta', 'choice-filter', 'choice-end', 'usage'])
    expect(events[1]).toMatchObject({ offsets: { check: 12, start: 0, end: 12 } })
    expect((events[0] as { filter?: unknown }).filter).toBeUndefined()
  })

  test('stops within 1,000 characters, however slow the guard and large the pieces', async () => {
    for (const delayMs of [0, 30]) {
      for (const size of [7, 300, 5_000]) {
        const engine = makeEngine({ delayMs })
        const plan = asynchronous({
          completion: makeSide({ rules: [makeRule('violence', { usesBuiltin: false, engines: [engine] })] }),
        })
        const words = `${'good '.repeat(300)}wicked ${'more '.repeat(1_000)}`
        const pieces = words.match(new RegExp(`.{1,${size}}`, 'gs')) ?? []
        const events = await run(send([...pieces.map((piece) => text(piece)), end()]), { plan })
        expect(reasonOf(events)).toEqual(['content_filter'])
        expect(said(events).length - words.indexOf('wicked')).toBeLessThanOrEqual(1_000)
        const checks = events.flatMap((event) => (event.type === 'choice-filter' ? [event.offsets.check] : []))
        expect(checks).toEqual(checks.toSorted((a, b) => a - b))
      }
    }
  })

  test('stops at once at a term on a list', async () => {
    const plan = asynchronous({ completion: makeSide({ blocklists: [makeList('secret', ['tangerine'])] }) })
    const events = await run(send([text('a tang'), text('erine. '), text('more'), end()]), { plan })
    expect(said(events)).not.toContain('more')
    expect(reasonOf(events)).toEqual(['content_filter'])
  })
})
