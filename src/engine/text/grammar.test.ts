import { expect, test } from 'bun:test'
import type { ChatCall } from '../../core/call.ts'
import { buildGrammar } from './grammar.ts'

const base: ChatCall = { kind: 'chat', deployment: 'd', stream: false, includeUsage: false, n: 1, messages: [] }
const json = { responseFormat: { type: 'json_object' } } as const
const tools = [{ name: 'add' }, { name: 'say "hi"' }]
const rootOf = (more: Partial<ChatCall>) => buildGrammar({ ...base, ...more })?.split('\n')[0]
const callOf = (more: Partial<ChatCall>) => buildGrammar({ ...base, ...more })?.split('\n')[1]

test('an answer is free unless JSON or a call is wanted', () => {
  expect(rootOf({})).toBeUndefined()
  expect(rootOf({ tools })).toBeUndefined()
  expect(rootOf({ tools, toolChoice: 'auto', responseFormat: { type: 'text' } })).toBeUndefined()
})

test('what the answer may be', () => {
  expect(rootOf(json)).toBe('root ::= object')
  expect(rootOf({ ...json, tools })).toBe('root ::= object | call')
  expect(rootOf({ ...json, tools, toolChoice: 'none' })).toBe('root ::= object')
  expect(rootOf({ tools, toolChoice: 'required' })).toBe('root ::= call')
  expect(rootOf({ ...json, tools, toolChoice: { name: 'add' } })).toBe('root ::= call')
})

test('which tools may be called', () => {
  expect(callOf({ tools, toolChoice: 'required' })).toBe(
    String.raw`call ::= "<tool_call>{\"name\": " ("\"add\"" | "\"say \\\"hi\\\"\"") ", \"arguments\": " object "}</tool_call>"`,
  )
  expect(callOf({ tools, toolChoice: { name: 'add' } })).toInclude(String.raw`("\"add\"")`)
})
