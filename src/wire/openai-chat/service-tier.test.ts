import { describe, expect, test } from 'bun:test'
import type { ChatCall } from '../../core/call.ts'
import type { Event } from '../../core/event.ts'
import type { JsonObject } from '../../core/json.ts'
import type { AnswerHead } from '../wire.ts'
import { openaiChatServer, wireName } from './server.ts'

const read = (more: JsonObject): ChatCall => {
  const body: JsonObject = { model: 'm', messages: [{ role: 'user', content: 'hi' }], ...more }
  return openaiChatServer.readCall({ text: JSON.stringify(body), body, header: () => null }) as ChatCall
}
const headOf = (serviceTier: string | undefined): AnswerHead => ({
  requestId: 'r',
  servedModel: 'm-1',
  created: 1,
  serviceTier,
})
const said = (tier: string) => ({ wire: wireName, fields: { service_tier: tier } })

/** What was asked for, what was decided, what the backend said, and what the caller is told. */
const table: [JsonObject, string | undefined, string | undefined, string | undefined][] = [
  [{ service_tier: 'priority' }, 'priority', undefined, 'priority'],
  [{ service_tier: 'priority' }, 'default', undefined, 'default'],
  [{ service_tier: 'auto' }, 'default', undefined, 'default'],
  [{ service_tier: 'priority' }, 'default', 'scale', 'default'],
  [{ service_tier: 'flex' }, undefined, 'flex', 'flex'],
  [{ service_tier: null }, 'default', undefined, undefined],
  [{}, 'default', undefined, undefined],
  [{}, 'default', 'default', 'default'],
]

describe('an answer tells the tier to those who asked', () => {
  test.each(table)('%j decided as %p, the backend says %p: %p', (asked, decided, backend, told) => {
    const call = read(asked)
    const rest = backend === undefined ? undefined : said(backend)
    const whole = openaiChatServer.writeResult({ kind: 'chat', choices: [], rest }, call, headOf(decided))
    expect(JSON.parse(whole).service_tier).toBe(told as string)

    const writer = openaiChatServer.openStream({ ...call, stream: true }, headOf(decided))
    const events: Event[] = [
      { type: 'answer-start', rest },
      { type: 'text-delta', choice: 0, text: 'x' },
      { type: 'choice-end', choice: 0, reason: 'stop' },
    ]
    const lines = events.flatMap((event) => writer.write(event).split('\n\n')).filter((line) => line !== '')
    expect(lines.length).toBe(3)
    for (const line of lines) {
      expect(JSON.parse(line.slice('data: '.length)).service_tier).toBe(told as string)
      expect(line.split('"service_tier"').length).toBe(told === undefined ? 1 : 2)
    }
  })
})
