import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createToolParser, type ToolItem } from './tool-parser.ts'

const names = new Set(['get_weather', 'add'])

/** All items, with neighbouring texts joined. */
function parse(pieces: readonly string[]): ToolItem[] {
  const parser = createToolParser(names)
  const items: ToolItem[] = []
  for (const item of [...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()]) {
    const last = items.at(-1)
    if (item.type === 'text' && last?.type === 'text')
      items[items.length - 1] = { type: 'text', text: last.text + item.text }
    else items.push(item)
  }
  return items
}

const weather = '<tool_call>{"name": "get_weather", "arguments": {"city": "Oslo"}}</tool_call>'
const weatherItem = { type: 'call', name: 'get_weather', arguments: '{"city":"Oslo"}' } as const

const cases: { title: string; text: string; items: ToolItem[] }[] = [
  { title: 'text only', text: 'Hello <b>', items: [{ type: 'text', text: 'Hello <b>' }] },
  { title: 'a call', text: weather, items: [weatherItem] },
  {
    title: 'text, then a call',
    text: `One moment.\n${weather}`,
    items: [{ type: 'text', text: 'One moment.' }, weatherItem],
  },
  {
    title: 'two calls on two lines',
    text: `${weather}\n<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>`,
    items: [weatherItem, { type: 'call', name: 'add', arguments: '{"a":1}' }],
  },
  {
    title: 'malformed JSON stays text',
    text: ' <tool_call>{"name": get}</tool_call> ok',
    items: [{ type: 'text', text: ' <tool_call>{"name": get}</tool_call> ok' }],
  },
  {
    title: 'a tool nobody offered stays text',
    text: '<tool_call>{"name": "rm", "arguments": {}}</tool_call>',
    items: [{ type: 'text', text: '<tool_call>{"name": "rm", "arguments": {}}</tool_call>' }],
  },
  {
    title: 'a closing tag that never comes is forgiven when the JSON is whole',
    text: weather.replace('</tool_call>', ''),
    items: [weatherItem],
  },
  {
    title: 'a call cut off is text',
    text: '<tool_call>{"name": "get_w',
    items: [{ type: 'text', text: '<tool_call>{"name": "get_w' }],
  },
  {
    title: 'a closing tag inside an argument is part of it',
    text: '<tool_call>{"name": "add", "arguments": {"a": "x\\"</tool_call>"}}</tool_call>',
    items: [{ type: 'call', name: 'add', arguments: '{"a":"x\\"</tool_call>"}' }],
  },
  {
    title: 'arguments as a JSON text',
    text: '<tool_call>{"name": "add", "arguments": "{\\"a\\": 2}"}</tool_call>',
    items: [{ type: 'call', name: 'add', arguments: '{"a":2}' }],
  },
  {
    title: 'no arguments',
    text: '<tool_call>{"name": "add"}</tool_call>',
    items: [{ type: 'call', name: 'add', arguments: '{}' }],
  },
]

for (const { title, text, items } of cases) {
  test(`${title}, in one piece and letter by letter`, () => {
    expect(parse([text])).toEqual(items)
    expect(parse([...text])).toEqual(items)
  })
}

test('any chunking gives the same items', () => {
  const part = fc.oneof(
    fc.constantFrom(weather, '<tool_call>', '</tool_call>', '{"name": "add"}', ' ', '\n', '<', '<tool', '"', 'text'),
    fc.string({ maxLength: 5 }),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), fc.array(fc.nat(60), { maxLength: 8 }), (parts, cuts) => {
      const whole = parts.join('')
      const points = [...new Set(cuts.map((cut) => Math.min(cut, whole.length)))].sort((a, b) => a - b)
      const pieces = [0, ...points].map((from, i) => whole.slice(from, points[i] ?? whole.length))
      expect(parse(pieces)).toEqual(parse([whole]))
    }),
    { numRuns: 3000 },
  )
})

test('text before a possible tag goes out at once', () => {
  const parser = createToolParser(names)
  expect(parser.push('Hello wor')).toEqual([{ type: 'text', text: 'Hello wor' }])
  expect(parser.push('ld <to')).toEqual([{ type: 'text', text: 'ld' }])
  expect(parser.push('p>')).toEqual([{ type: 'text', text: ' <top>' }])
})
