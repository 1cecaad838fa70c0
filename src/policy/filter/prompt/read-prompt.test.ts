import { describe, expect, test } from 'bun:test'
import type { ChatCall, ContentPart, Message } from '../../../core/call.ts'
import type { Json } from '../../../core/json.ts'
import { splitDocuments, spotlight } from './documents.ts'
import { readPrompt } from './read-prompt.ts'

const scope = { messages: 'last-user', toolResults: false, exemptSystem: true } as const

function chat(messages: readonly Message[], more: Partial<ChatCall> = {}): ChatCall {
  return { kind: 'chat', deployment: 'd', stream: false, includeUsage: false, n: 1, messages, ...more }
}

const talk: readonly Message[] = [
  { role: 'system', content: 'Be kind.' },
  { role: 'user', content: 'First.' },
  { role: 'assistant', content: null, toolCalls: [{ id: 'c', name: 'look', arguments: '{"at":"x"}' }] },
  { role: 'tool', content: 'Result.', toolCallId: 'c' },
  {
    role: 'user',
    content: [
      { type: 'text', text: 'Sec' },
      { type: 'text', text: 'ond.' },
    ],
  },
]

const brief = (call: ChatCall, own: Partial<Parameters<typeof readPrompt>[1]> = {}) =>
  readPrompt(call, { ...scope, ...own }).map(({ role, text, at }) => `${role} ${at}: ${text}`)

describe('what is judged of a chat', () => {
  test('the newest user message, its parts as one', () => {
    expect(brief(chat(talk))).toEqual(['user messages[4].content: Second.'])
  })

  test('all that the user has said since the last answer, and what the caller has the model go on from', () => {
    const more: readonly Message[] = [...talk, { role: 'system', content: 'Be brief.' }, { role: 'user', content: '.' }]
    expect(brief(chat(more))).toEqual(['user messages[4].content: Second.', 'user messages[6].content: .'])
    expect(brief(chat([...talk, { role: 'assistant', content: 'Sure: ' }]))).toEqual([
      'user messages[4].content: Second.',
      'assistant messages[5].content: Sure: ',
    ])
    expect(brief(chat([{ role: 'system', content: 'Be kind.' }]))).toEqual(['system messages[0].content: Be kind.'])
  })

  test('what the application says besides messages, where all counts', () => {
    const say = (description: string) => ({ type: 'object', properties: { at: { type: 'string', description } } })
    const call = chat([{ role: 'user', content: 'Hi.', name: 'ann', rest: { wire: 'x', fields: { note: 'N' } } }], {
      tools: [{ name: 'look', parameters: say('Where.') }],
      responseFormat: { type: 'json_schema', name: 'r', description: 'R', schema: say('What.') },
      rest: { wire: 'x', fields: { prediction: { type: 'content', content: 'Guess.' } } },
    })
    expect(brief(call)).toEqual(['user messages[0].content: Hi.'])
    expect(brief(call, { messages: 'all', exemptSystem: false })).toEqual([
      'user messages[0].content: Hi.',
      'user messages[0].name: ann',
      'user messages[0].note: N',
      'system tools[0].function.name: look',
      'system tools[0].function.parameters: object\nstring\nWhere.',
      'system response_format.json_schema.description: R',
      'system response_format.json_schema.schema: object\nstring\nWhat.',
      'system prediction: content\nGuess.',
    ])
  })

  test('parts of any depth', () => {
    let deep: Json = 'hello'
    for (let i = 0; i < 100_000; i++) deep = [deep]
    const content: ContentPart[] = [{ type: 'other', wire: 'x', fields: { deep } }]
    expect(brief(chat([{ role: 'user', content }]))).toEqual(['user messages[0].content[0]: hello'])
  })

  test('results of tools, all messages, those of the system, as the scope says', () => {
    expect(brief(chat(talk), { toolResults: true })).toEqual([
      'tool messages[3].content: Result.',
      'user messages[4].content: Second.',
    ])
    expect(brief(chat(talk), { messages: 'all' })).toEqual([
      'user messages[1].content: First.',
      'assistant messages[2].tool_calls[0]: look {"at":"x"}',
      'user messages[4].content: Second.',
    ])
    const tools = [{ name: 'look', description: 'Looks.' }]
    expect(brief(chat(talk, { tools }), { messages: 'all', exemptSystem: false })).toContain(
      'system tools[0].function.description: Looks.',
    )
    expect(brief(chat(talk), { messages: 'all', exemptSystem: false })[0]).toBe('system messages[0].content: Be kind.')
  })

  test('parts that only one protocol knows, whatever they say', () => {
    const content: ContentPart[] = [{ type: 'other', wire: 'x', fields: { type: 'odd', deep: [{ say: 'hello' }] } }]
    expect(brief(chat([{ role: 'user', content }]))).toEqual(['user messages[0].content[0]: odd\nhello'])
  })
})

describe('documents in a prompt', () => {
  const text = 'Sum up. """ <documents> {"a":"One"} </documents> """ Thanks. <documents>open'

  test('are judged as what they are; one that is never closed goes to the end', () => {
    expect(brief(chat([{ role: 'user', content: text }])).map((line) => line.split(':')[0])).toEqual([
      'user messages[0].content',
      'document messages[0].content',
      'user messages[0].content',
      'document messages[0].content',
    ])
    const parts = splitDocuments(text)
    expect(parts.map(({ start, end }) => text.slice(start, end)).join('')).toBe(text)
  })

  test('are encoded with a word about it, and nothing else is', () => {
    const written = spotlight(text)
    expect(written).toStartWith('Sum up. """ Each document below is base64.')
    expect(written).toContain(Buffer.from('{"a":"One"}').toString('base64'))
    expect(written).not.toContain('One')
    expect(written).toContain(' </documents> """ Thanks. ')
    expect(spotlight('No documents.')).toBe('No documents.')
  })
})
