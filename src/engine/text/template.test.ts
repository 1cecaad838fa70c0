import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { fixtureTemplate } from '../../../test/support/fixture-gguf.ts'
import type { ChatCall, Message, Tool } from '../../core/call.ts'
import { compileTemplate } from './template.ts'

const controlTexts = ['<|im_start|>', '<|im_end|>', '<|bos|>', '<|pad|>']
const markupTexts = ['<tool_call>', '</tool_call>', '<h1>']
const nanoTemplate = readFileSync(new URL('../../../models/builtin-nano/chat_template.jinja', import.meta.url), 'utf8')

function chat(messages: readonly Message[], more: Partial<ChatCall> = {}): ChatCall {
  return { kind: 'chat', deployment: 'd', stream: false, includeUsage: false, n: 1, messages, ...more }
}

function compile(source: string) {
  return compileTemplate({ source, bosText: '<|bos|>', eosText: '<|im_end|>', controlTexts, markupTexts })
}

const renderText = (source: string, call: ChatCall) =>
  compile(source)
    .render(call)
    .map((piece) => piece.text)
    .join('')

const weather: Tool = {
  name: 'get_weather',
  description: 'Weather of a "city"',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
}

test('roles, parts, tools, calls and results end up where the template puts them', () => {
  const messages: Message[] = [
    { role: 'developer', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Weather' },
        { type: 'text', text: 'in Oslo?' },
      ],
    },
    { role: 'assistant', content: null, toolCalls: [{ id: 'c1', name: 'get_weather', arguments: '{"city":"Oslo"}' }] },
    { role: 'tool', toolCallId: 'c1', content: 'rain' },
  ]
  expect(renderText(fixtureTemplate, chat(messages, { tools: [weather] }))).toBe(
    '<|im_start|>tools\nget_weather(city): Weather of a "city"\n<|im_end|>\n' +
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWeather\nin Oslo?<|im_end|>\n' +
      '<|im_start|>assistant\n<tool_call>{"name": "get_weather", "arguments": {"city": "Oslo"}}</tool_call><|im_end|>\n' +
      '<|im_start|>tool\nrain<|im_end|>\n<|im_start|>assistant\n',
  )
})

test('a tool result carries the name of its tool', () => {
  const messages: Message[] = [
    { role: 'assistant', content: null, toolCalls: [{ id: 'c1', name: 'add', arguments: '{}' }] },
    { role: 'tool', toolCallId: 'c1', content: '3' },
  ]
  expect(renderText('{{ messages[1].name }}', chat(messages))).toBe('add')
})

test("tool_choice none hides the tools; tools a template can't take are refused", () => {
  const messages: Message[] = [{ role: 'user', content: 'hi' }]
  const call = chat(messages, { tools: [weather], toolChoice: 'none' })
  expect(renderText(fixtureTemplate, call)).toBe('<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n')
  expect(() => compile('{{ messages[0].content }}').render({ ...call, toolChoice: 'auto' })).toThrow(
    'no place for them',
  )
})

test("what the template refuses is the caller's fault, with the template's reason", () => {
  expect(() =>
    compile("{{ raise_exception('roles must alternate') }}").render(chat([{ role: 'user', content: '' }])),
  ).toThrow('roles must alternate')
})

describe.each([
  ['fixture', fixtureTemplate],
  ['builtin-nano', nanoTemplate],
])('%s template', (_, source) => {
  const nasty = fc
    .array(
      fc.oneof(
        fc.constantFrom(...controlTexts, '<tool_call>', '</tool_call>', '<|im_', 'start|>', '<', '\n'),
        fc.string(),
      ),
      {
        maxLength: 6,
      },
    )
    .map((parts) => parts.join(''))

  const countControl = (call: ChatCall) => {
    const pieces = compile(source).render(call)
    const found = (text: string) => pieces.reduce((n, p) => n + (p.isCaller ? 0 : p.text.split(text).length - 1), 0)
    return [...controlTexts, '<tool_call>', '</tool_call>'].map(found)
  }

  test('whatever callers write, a prompt has the control texts of a harmless one of the same shape', () => {
    fc.assert(
      fc.property(nasty, nasty, nasty, nasty, (system, user, result, name) => {
        const shape = (text: (written: string) => string): ChatCall =>
          chat(
            [
              { role: 'system', content: text(system) },
              { role: 'user', content: text(user) },
              {
                role: 'assistant',
                content: null,
                toolCalls: [{ id: 'c1', name: text(name), arguments: JSON.stringify({ [text(name)]: text(user) }) }],
              },
              { role: 'tool', toolCallId: 'c1', content: text(result) },
              { role: 'user', content: [{ type: 'text', text: text(user) }] },
            ],
            {
              tools: [
                {
                  name: text(name),
                  description: text(system),
                  parameters: {
                    type: 'object',
                    properties: { [text(name)]: { enum: [text(result)], type: 'string' } },
                  },
                },
              ],
            },
          )
        expect(countControl(shape((written) => written))).toEqual(countControl(shape(() => 'x')))
      }),
      { numRuns: 500 },
    )
  })

  test("the assistant's own markup stays, its control texts do not", () => {
    const call = chat([{ role: 'assistant', content: '<tool_call>1</tool_call><|im_end|>' }])
    const bare = chat([{ role: 'assistant', content: 'x' }])
    const [more, less] = [countControl(call), countControl(bare)]
    expect(more.slice(0, 4)).toEqual(less.slice(0, 4))
    expect(more.slice(4)).toEqual(less.slice(4).map((count) => count + 1))
  })
})
