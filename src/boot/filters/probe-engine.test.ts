import { expect, test } from 'bun:test'
import { Fault } from '../../core/fault.ts'
import type { Finding } from '../../core/filter/engine.ts'
import { probeEngine } from './probe-engine.ts'

const document = { name: 'guard', kind: 'http', url: 'https://a.example' } as const

/** `closed`: how often the connections were closed. */
function prepare(judge: () => Promise<{ findings: readonly Finding[] }>) {
  const state = { closed: 0 }
  let time = 100
  const probe = () =>
    probeEngine(
      document,
      {
        readCredential: () => 'secret',
        openEngine: () => ({
          engine: {
            name: 'guard',
            label: 'http/guard',
            categories: new Set(['hate'] as const),
            maxChars: 1,
            deadlineMs: { prompt: 1, window: 1 },
            judge,
          },
          close: () => {
            state.closed++
          },
        }),
      },
      () => {
        time += 25
        return time
      },
    )
  return { state, probe }
}

test.each<[string, () => Promise<{ findings: readonly Finding[] }>, boolean, string]>([
  ['one that answers', async () => ({ findings: [] }), true, 'http/guard: it answers'],
  [
    'one that sees what is not there',
    async () => ({ findings: [{ category: 'hate', severity: 7 }] }),
    true,
    'http/guard: it answers, and finds hate in a harmless text',
  ],
  ['one that is down', () => Promise.reject(new Fault('upstream-unavailable', 'no route')), false, 'no route'],
])('%s, and its connections are closed', async (_what, judge, ok, detail) => {
  const { state, probe } = prepare(judge)
  expect(await probe()).toEqual({ ok, detail, ms: 25 })
  expect(state.closed).toBe(1)
})

test('one that cannot be made says why', async () => {
  const parts = {
    readCredential: () => {
      throw new Fault('upstream-misconfigured', 'the variable is not set')
    },
    openEngine: () => {
      throw new Error('not reached')
    },
  }
  expect(await probeEngine(document, parts, () => 0)).toEqual({ ok: false, detail: 'the variable is not set', ms: 0 })
})
