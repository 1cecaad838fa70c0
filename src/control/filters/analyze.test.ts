import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Fault } from '../../core/fault.ts'
import type { FilterPlan } from '../../policy/filter/plan.ts'
import { type ControlFixture, errorOf, startControl } from '../control.fixture.ts'

let control: ControlFixture
const send: ControlFixture['send'] = (...request) => control.send(...request)

beforeAll(async () => {
  control = await startControl({
    findPlan(name) {
      if (name === 'broken') throw new Fault('filter-unavailable', 'it cannot be used')
      return name.toLowerCase() === 'none'
        ? undefined
        : ({ policy: name, detector: { label: 'builtin/test' } } as FilterPlan)
    },
    async judgeText(_plan, { text, source }) {
      if (text === 'down') throw new Fault('filter-unavailable', 'the engine is down')
      if (text === 'bug') throw new Error('a bug')
      return {
        filtered: text === 'bad',
        results: { hate: { filtered: text === 'bad', severity: 'safe' } },
        explanations:
          text === 'bad'
            ? [{ source, category: 'hate', filtered: true, severity: 'high', policy: 'p', engine: 'builtin/test' }]
            : [],
      }
    },
  })
})
afterAll(() => control.stop())

describe('analyzing', () => {
  const ask = (body: unknown) => send('POST', '/filters/analyze', { body })

  test('tells of every line what the policy makes of it, in order', async () => {
    const lines = [{ text: 'good' }, { text: 'bad', source: 'Completion', prompt: 'p' }, { text: 'down' }]
    const many = Array.from({ length: 20 }, () => lines).flat()
    const answer = await ask({ policy: 'Strict', lines: many })
    const { policy, builtin, value } = answer.json<{ policy: string; builtin: string; value: unknown[] }>()
    expect([answer.status, policy, builtin, value.length]).toEqual([200, 'Strict', 'builtin/test', 60])
    expect(value.slice(57)).toEqual([
      { filtered: false, results: { hate: { filtered: false, severity: 'safe' } }, explanations: [] },
      {
        filtered: true,
        results: { hate: { filtered: true, severity: 'safe' } },
        explanations: [expect.objectContaining({ source: 'Completion', category: 'hate' })],
      },
      { error: { code: 'FilterUnavailable', message: 'the engine is down' } },
    ])
  })

  test('asks the default policy where none is named', async () => {
    expect((await ask({ lines: [{ text: 'x' }] })).json<{ policy: string }>().policy).toBe('Microsoft.Nil')
  })

  test.each<[string, unknown, number, string]>([
    ['no lines', { lines: [] }, 400, 'lines: got a list, expected at least 1 item'],
    [
      'an unknown source',
      { lines: [{ text: 'x', source: 'User' }] },
      400,
      'lines[0].source: got "User", expected one of',
    ],
    [
      'an unknown policy',
      { policy: 'none', lines: [{ text: 'x' }] },
      400,
      'policy: got "none", expected one of "Micro',
    ],
    ['a policy that cannot be used', { policy: 'broken', lines: [{ text: 'x' }] }, 503, 'it cannot be used'],
    ['a bug', { lines: [{ text: 'bug' }] }, 500, 'The server had an error'],
  ])('%s', async (_what, body, status, text) => {
    const refused = await ask(body)
    expect([refused.status, errorOf(refused).message]).toEqual([status, expect.stringContaining(text)])
  })

  test('is asked with POST only', async () => {
    const refused = await send('GET', '/filters/analyze')
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'POST'])
  })
})
