import { describe, expect, test } from 'bun:test'
import type { Event } from '../../core/event.ts'
import { makeChatCall, makeDeployment } from '../../core/exchange.fixture.ts'
import type { EndListener, Exchange } from '../../core/exchange.ts'
import { Fault } from '../../core/fault.ts'
import type { Reply } from '../../core/reply.ts'
import { createPipeline } from '../../policy/pipeline.ts'
import { createAskDeployment } from './ask-deployment.ts'

const usage = { promptTokens: 5, completionTokens: 2 } as never

/** Asks a deployment whose backends answer as `answer` does; `ended` is what listeners were told. */
function prepare(answer: (exchange: Exchange) => Promise<Reply>) {
  const ended: unknown[] = []
  let seen: Exchange | undefined
  const listener: EndListener = ({ caller, tally }, outcome, fault) => {
    ended.push([caller.keyName, outcome, tally.usage, tally.pieces, fault?.code])
  }
  const ask = createAskDeployment({
    find: (name) => (name === 'guard' ? makeDeployment({ name }) : undefined),
    pipeline: createPipeline(
      [],
      (exchange) => {
        seen = exchange
        return answer(exchange)
      },
      [listener],
    ),
    now: () => 7,
  })
  return { ended, ask, seen: () => seen }
}

async function* events(...list: Event[]): AsyncIterable<Event> {
  yield* list
}

async function* broken(): AsyncIterable<Event> {
  yield { type: 'text-delta', choice: 0, text: 'sa' }
  throw new Fault('upstream-failed', 'cut')
}

const call = makeChatCall()

describe('asking a deployment', () => {
  test('gives a whole answer, and counts it under the name of the filter', async () => {
    const { ask, ended, seen } = prepare(async () => ({
      kind: 'whole',
      result: { kind: 'chat', choices: [{ index: 0, text: 'safe', finishReason: 'stop' }], usage },
    }))
    const { signal } = new AbortController()
    const result = await ask('', 'guard', call, signal)
    expect(result.choices[0]?.text).toBe('safe')
    expect(ended).toEqual([['filter', 'done', usage, 0, undefined]])
    expect(seen()).toMatchObject({ needsEvents: true, startedAt: 7, caller: { grant: undefined } })
    expect(seen()?.header('x-policy-id')).toBeNull()
    expect(seen()?.signal).toBe(signal)
  })

  test('folds a stream', async () => {
    const { ask, ended } = prepare(async () => ({
      kind: 'stream',
      events: events(
        { type: 'text-delta', choice: 0, text: 'un' },
        { type: 'text-delta', choice: 0, text: 'safe' },
        { type: 'choice-end', choice: 0, reason: 'stop' },
        { type: 'usage', usage },
      ),
    }))
    expect((await ask('', 'guard', call, new AbortController().signal)).choices[0]?.text).toBe('unsafe')
    expect(ended).toEqual([['filter', 'done', usage, 3, undefined]])
  })

  test.each<[string, (exchange: Exchange) => Promise<Reply>, string]>([
    ['a refusal', () => Promise.reject(new Fault('rate-limited', 'full')), 'rate-limited'],
    ['a stream that breaks off', async () => ({ kind: 'stream', events: broken() }), 'upstream-failed'],
    [
      'an answer of another kind',
      async () => ({ kind: 'bytes', wire: 'w', body: new Uint8Array() }),
      'upstream-failed',
    ],
  ])('passes %s on, and the call has ended all the same', async (_what, answer, code) => {
    const { ask, ended } = prepare(answer)
    await expect(ask('', 'guard', call, new AbortController().signal)).rejects.toMatchObject({ code })
    expect(ended).toMatchObject([['filter', 'failed', undefined, expect.any(Number), code]])
  })

  test('that was given up ends as such', async () => {
    const stop = new AbortController()
    const { ask, ended } = prepare(() => {
      stop.abort()
      return Promise.reject(new Fault('client-gone', 'gone'))
    })
    await expect(ask('', 'guard', call, stop.signal)).rejects.toMatchObject({ code: 'client-gone' })
    expect(ended).toMatchObject([['filter', 'aborted', undefined, 0, 'client-gone']])
  })

  test('that is not there, or does not chat, is refused by name', async () => {
    const { ask } = prepare(() => Promise.reject(new Error('nothing is asked')))
    const { signal } = new AbortController()
    await expect(ask('', 'none', call, signal)).rejects.toThrow(
      'There is no deployment "none", which a filter engine asks.',
    )
    const other = createAskDeployment({
      find: () => makeDeployment({ kinds: new Set(['embed'] as const) }),
      pipeline: createPipeline([], () => Promise.reject(new Error('nothing is asked')), []),
      now: () => 0,
    })
    await expect(other('', 'vectors', call, signal)).rejects.toThrow('does not chat')
  })
})
