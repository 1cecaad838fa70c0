import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { ChatCall, Message } from '../../../core/call.ts'
import type { Event } from '../../../core/event.ts'
import { collectResult } from '../../../core/result.ts'
import { directionOf } from '../direction.ts'
import { makePlan, makeSide } from '../filter.fixture.ts'
import { createPiiRule } from '../pii/pii-rule.ts'
import { type Rewritten, rewritePrompt } from './rewrite-prompt.ts'

const pii = createPiiRule(
  new Map([
    ['Email', 'redact'],
    ['IPAddress', 'annotate'],
  ]),
  true,
)
const plan = makePlan({ prompt: makeSide({ pii }) })

function rewrite(messages: readonly Message[]): Rewritten | undefined {
  const call: ChatCall = {
    kind: 'chat',
    deployment: 'd',
    stream: false,
    includeUsage: false,
    n: 1,
    messages,
    source: { wire: 'w', text: '{}', body: {} },
  }
  return rewritePrompt(call, plan, directionOf(plan, 'Prompt'))
}

const talk: readonly Message[] = [
  { role: 'user', content: 'I am ann@example.com, write to bob@example.org.' },
  { role: 'assistant', content: null, toolCalls: [{ id: 'c', name: 'mail', arguments: '{"to":"bob@example.org"}' }] },
  { role: 'user', content: [{ type: 'text', text: 'Again: ann@example.com from 10.1.2.3' }] },
]

describe('personal data that a policy makes unreadable', () => {
  test('leaves no message with it, the same under the same name, and the call without its source', () => {
    const call = rewrite(talk)?.call as ChatCall
    expect(JSON.stringify(call)).not.toContain('example')
    expect(call.source).toBeUndefined()
    const names = JSON.stringify(call).match(/\[[A-Z_]*_?\d+\]/g) ?? []
    expect(names).toHaveLength(4)
    expect(names[0]).toBe(names[3] as string)
    expect(names[1]).toBe(names[2] as string)
    expect(JSON.stringify(call)).toContain('10.1.2.3')
  })

  test('a call without any stays as it is', () => {
    expect(rewrite([{ role: 'user', content: 'Hello.' }])).toBeUndefined()
  })

  test('is put back where the answer repeats it, whole and however the stream is cut', async () => {
    const rewritten = rewrite(talk) as Rewritten
    const [name] = (rewritten.call as ChatCall).messages[0]?.content?.toString().match(/\[[^\]]+\]/) ?? []
    const answer = `Dear ${name}, [not one] done.`
    const whole = rewritten.restoreResult({
      kind: 'chat',
      choices: [
        {
          index: 0,
          text: answer,
          finishReason: 'stop',
          toolCalls: [{ id: 'c', name: 'mail', arguments: `{"to":"${name}"}` }],
        },
      ],
    })
    expect(whole.choices[0]).toMatchObject({
      text: 'Dear ann@example.com, [not one] done.',
      toolCalls: [{ arguments: '{"to":"ann@example.com"}' }],
    })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(answer.length)), async (places) => {
        const cuts = [...new Set([0, ...places, answer.length])].sort((a, b) => a - b)
        async function* events(): AsyncGenerator<Event> {
          for (const [i, from] of cuts.slice(0, -1).entries()) {
            yield { type: 'text-delta', choice: 0, text: answer.slice(from, cuts[i + 1]) }
          }
          yield { type: 'choice-end', choice: 0, reason: 'stop' }
        }
        const result = await collectResult('chat', rewritten.restoreEvents(events()))
        expect(result.choices[0]).toMatchObject({ text: 'Dear ann@example.com, [not one] done.', finishReason: 'stop' })
      }),
    )
  })
})
