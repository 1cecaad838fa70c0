import { expect, test } from 'bun:test'
import type { Event } from '../../core/event.ts'
import { type AnswerOptions, createAnswerWriter } from './answer-writer.ts'

function write(pieces: readonly string[], options: Partial<AnswerOptions> = {}, reason: 'stop' | 'length' = 'stop') {
  const events: Event[] = []
  const writer = createAnswerWriter({ choice: 1, stops: [], ...options }, (event) => events.push(event))
  const pushed = pieces.findIndex((piece) => writer.push(piece)) + 1
  writer.end(reason)
  return { events, read: pushed === 0 ? pieces.length : pushed }
}

const toolNames = new Set(['add'])
const add = (a: number) => `<tool_call>{"name": "add", "arguments": {"a": ${a}}}</tool_call>`

test('text, then the end of the choice', () => {
  expect(write(['Hel', '', 'lo']).events).toEqual([
    { type: 'text-delta', choice: 1, text: 'Hel' },
    { type: 'text-delta', choice: 1, text: 'lo' },
    { type: 'choice-end', choice: 1, reason: 'stop' },
  ])
})

test('a call gets an id and the reason tool_calls; two calls count up', () => {
  const { events } = write([add(1), add(2)], { toolNames })
  expect(events).toEqual([
    { type: 'tool-call-start', choice: 1, index: 0, id: expect.stringMatching(/^call_\w{24}$/), name: 'add' },
    { type: 'tool-call-delta', choice: 1, index: 0, arguments: '{"a":1}' },
    { type: 'tool-call-start', choice: 1, index: 1, id: expect.any(String), name: 'add' },
    { type: 'tool-call-delta', choice: 1, index: 1, arguments: '{"a":2}' },
    { type: 'choice-end', choice: 1, reason: 'tool_calls' },
  ])
})

test('without parallel calls the answer is over after the first, even when two come at once', () => {
  const { events, read } = write([add(1) + add(2), 'more'], { toolNames, isSingleCall: true })
  expect(read).toBe(1)
  expect(events.map((event) => event.type)).toEqual(['tool-call-start', 'tool-call-delta', 'choice-end'])
})

test('a stop string ends the answer and what was held back before it comes out', () => {
  const { events, read } = write(['one <tool', '_x', 'STOP', 'never'], { toolNames, stops: ['STOP'] })
  expect(read).toBe(3)
  expect(events.map((event) => ('text' in event ? event.text : event.type)).join('')).toBe('one <tool_xchoice-end')
})

test('an answer that ends too early says so, and shows half a call as text', () => {
  const { events } = write(['<tool_call>{"na'], { toolNames }, 'length')
  expect(events).toEqual([
    { type: 'text-delta', choice: 1, text: '<tool_call>{"na' },
    { type: 'choice-end', choice: 1, reason: 'length' },
  ])
})

test('log probabilities go out with the text they belong to', () => {
  const events: Event[] = []
  const writer = createAnswerWriter({ choice: 0, stops: ['ab!'] }, (event) => events.push(event))
  const logprob = (token: string) => ({ token, logprob: -1, bytes: null, top: [] })
  for (const token of ['x', 'a', 'b', 'c']) writer.push(token, logprob(token))
  writer.end('stop')
  expect(events.slice(0, 2)).toEqual([
    { type: 'text-delta', choice: 0, text: 'x', logprobs: [logprob('x')] },
    { type: 'text-delta', choice: 0, text: 'abc', logprobs: ['a', 'b', 'c'].map(logprob) },
  ])
})
