import { expect, test } from 'bun:test'
import type { Event } from '../../core/event.ts'
import type { JsonObject } from '../../core/json.ts'
import { collectResult } from '../../core/result.ts'
import { inferenceChatServer } from '../azure-inference/chat-server.ts'
import type { ServerEnd } from '../wire.ts'
import { openaiChatServer } from './server.ts'

const head = { requestId: 'r', servedModel: 'm', created: 1 }
const surfaces: [string, ServerEnd][] = [
  ['Azure OpenAI', openaiChatServer],
  ['Azure AI Model Inference', inferenceChatServer],
]

function read(end: ServerEnd, change: JsonObject) {
  const body = { model: 'd', messages: [{ role: 'user', content: 'hi' }], ...change }
  return end.readCall({ text: '', body, header: () => 'pass-through' })
}

const said: readonly Event[] = [
  { type: 'answer-start' },
  { type: 'tool-call-start', choice: 0, index: 0, id: 'call_1', name: 'f' },
  { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{"a":' },
  { type: 'tool-call-delta', choice: 0, index: 0, arguments: '1}' },
  { type: 'tool-call-start', choice: 0, index: 1, id: 'call_2', name: 'g' },
  { type: 'choice-end', choice: 0, reason: 'tool_calls' },
]

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

test('functions become tools, of which one may be called', () => {
  const functions: JsonObject[] = [{ name: 'f', description: 'F', parameters: { type: 'object' } }, { name: 'g' }]
  expect(read(openaiChatServer, { functions, function_call: { name: 'g' } })).toMatchObject({
    tools: functions,
    toolChoice: { name: 'g' },
    parallelToolCalls: false,
    hasLegacyFunctions: true,
  })
})

test('calls and results of a conversation are paired by name, the latest call first', () => {
  const call = (name: string) => ({ role: 'assistant', content: null, function_call: { name, arguments: '{}' } })
  const result = (name: string, content: string) => ({ role: 'function', name, content })
  const messages = [
    { role: 'user', content: 'hi' },
    call('f'),
    result('f', '1'),
    call('f'),
    call('g'),
    result('f', '2'),
    result('g', '3'),
    result('f', '4'),
  ]
  const { messages: read_ } = read(openaiChatServer, { functions: [{ name: 'f' }], messages }) as never as {
    messages: { role: string; toolCallId?: string; toolCalls?: { id: string }[]; name?: string }[]
  }
  expect(
    read_.map(({ role, toolCallId, toolCalls, name }) => [role, toolCallId ?? toolCalls?.[0]?.id ?? name]),
  ).toEqual([
    ['user', undefined],
    ['assistant', 'call00001'],
    ['tool', 'call00001'],
    ['assistant', 'call00003'],
    ['assistant', 'call00004'],
    ['tool', 'call00003'],
    ['tool', 'call00004'],
    ['function', 'f'],
  ])
})

test.each(surfaces)('%s: a caller of functions gets one call in the old shape', async (_name, end) => {
  const call = read(end, { functions: [{ name: 'f' }, { name: 'g' }] })
  const { choices } = JSON.parse(end.writeResult(await collectResult('chat', each(said)), call, head))
  expect(choices[0].finish_reason).toBe('function_call')
  expect(choices[0].message).toMatchObject({ content: null, function_call: { name: 'f', arguments: '{"a":1}' } })
  expect(choices[0].message.tool_calls ?? null).toBeNull()
})

test.each(surfaces)('%s: and the same as a stream', (_name, end) => {
  const call = read(end, { functions: [{ name: 'f' }, { name: 'g' }], stream: true })
  const writer = end.openStream(call, head)
  const text = said.map((event) => writer.write(event)).join('') + writer.end()
  const choices = text
    .split('\n\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)).choices[0])
  expect(choices.map(({ delta }) => delta.function_call ?? delta.role ?? 'end')).toEqual([
    'assistant',
    { name: 'f', arguments: '' },
    { arguments: '{"a":' },
    { arguments: '1}' },
    'end',
  ])
  expect(choices.at(-1).finish_reason).toBe('function_call')
  expect(text).not.toContain('tool_calls')
})

test.each(surfaces)('%s: a caller of tools gets tools, whatever the model calls them', async (_name, end) => {
  const call = read(end, { tools: [{ type: 'function', function: { name: 'f' } }] })
  const result = await collectResult(
    'chat',
    each([...said.slice(0, -1), { type: 'choice-end', choice: 0, reason: 'function_call' } as const]),
  )
  const { choices } = JSON.parse(end.writeResult(result, call, head))
  expect(choices[0].finish_reason).toBe('tool_calls')
  expect(choices[0].message.tool_calls).toHaveLength(2)
})
