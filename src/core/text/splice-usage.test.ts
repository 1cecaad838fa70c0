import { expect, test } from 'bun:test'
import { spliceUsage } from './splice-usage.ts'

test.each([
  ['{"stream":true}', '{"stream":true,"stream_options":{"include_usage":true}}'],
  ['{ "stream": true,\n "a": "}" }\n', '{ "stream": true,\n "a": "}" ,"stream_options":{"include_usage":true}}\n'],
  [
    '{"stream_options":{"include_usage":false,"x":1},"stream":true}',
    '{"stream_options":{"include_usage":true,"x":1},"stream":true}',
  ],
  ['{"stream":true,"stream_options":null}', '{"stream":true,"stream_options":{"include_usage":true}}'],
])('%s asks for usage', (text, asked) => {
  expect(spliceUsage(text, JSON.parse(text))).toBe(asked)
})
