import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { ChatCall, Message, PassCall } from '../../../core/call.ts'
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
  return rewritePrompt(call, directionOf(plan, 'Prompt'))
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

  test('gets no name that the arguments of a tool have already', () => {
    const call = { id: 'c', name: 'note', arguments: '{"text":"[EMAIL_1]"}' }
    const written = rewrite([
      { role: 'assistant', content: null, toolCalls: [call] },
      { role: 'user', content: 'I am ann@example.com' },
    ])?.call as ChatCall
    expect(written.messages[1]?.content).toBe('I am [EMAIL_2]')
  })

  test('is found across the parts of a message', () => {
    const image = { type: 'image', url: 'https://a.example/b.png' } as const
    const content = [
      { type: 'text', text: 'I am ann@exam' } as const,
      image,
      { type: 'text', text: 'ple.com' } as const,
      { type: 'text', text: ' now.' } as const,
    ]
    const call = rewrite([{ role: 'user', content }])?.call as ChatCall
    expect(call.messages[0]?.content).toEqual([
      { type: 'text', text: 'I am [EMAIL_1]' },
      image,
      { type: 'text', text: ' now.' },
    ])
  })

  test('leaves no prompt for an image with it', () => {
    const body = { prompt: 'A letter to ann@example.com', n: 1 }
    const image = { kind: 'image', deployment: 'd', stream: false, includeUsage: false } as const
    const call: PassCall = { ...image, source: { wire: 'w', text: JSON.stringify(body), body } }
    const written = { prompt: 'A letter to [EMAIL_1]', n: 1 }
    expect(rewritePrompt(call, directionOf(plan, 'Prompt'))?.call.source).toEqual({
      wire: 'w',
      text: JSON.stringify(written),
      body: written,
    })
  })

  test('a document is encoded to its end, also where that is in another part', () => {
    const own = makePlan({ spotlighting: true })
    const content = [
      { type: 'text', text: 'Sum up <documents> one' } as const,
      { type: 'text', text: ' two </documents> please' } as const,
    ]
    const call: ChatCall = {
      kind: 'chat',
      deployment: 'd',
      stream: false,
      includeUsage: false,
      n: 1,
      messages: [{ role: 'user', content }],
    }
    const written = JSON.stringify(rewritePrompt(call, directionOf(own, 'Prompt'))?.call)
    expect(written).not.toContain('two')
    expect(written).toContain(Buffer.from('one two').toString('base64'))
    expect(written).toContain('please')
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
          pieces: [
            { type: 'text-delta', choice: 0, text: answer.slice(0, 8) },
            { type: 'text-delta', choice: 0, text: answer.slice(8) },
          ],
        },
      ],
    })
    expect(whole.choices[0]).toMatchObject({
      text: 'Dear ann@example.com, [not one] done.',
      toolCalls: [{ arguments: '{"to":"ann@example.com"}' }],
      pieces: [{ text: 'Dear ' }, { text: 'ann@example.com, [not one] done.' }],
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
