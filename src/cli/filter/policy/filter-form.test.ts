import { describe, expect, test } from 'bun:test'
import { parseFilter, parseList, parsePii, parsePlace } from './filter-form.ts'

describe('a filter', () => {
  test('is on both sides that it has, unless one is named', () => {
    expect(parseFilter('hate')).toEqual([
      { name: 'Hate', source: 'Prompt', enabled: true },
      { name: 'Hate', source: 'Completion', enabled: true },
    ])
    expect(parseFilter('jailbreak')).toEqual([{ name: 'Jailbreak', source: 'Prompt', enabled: true }])
    expect(parseFilter('Protected Material Text')).toMatchObject([{ source: 'Completion' }])
  })

  test.each([
    [
      'Hate:Prompt:Low:block',
      { name: 'Hate', source: 'Prompt', enabled: true, severityThreshold: 'Low', blocking: true },
    ],
    [
      'hate:annotate:prompt:HIGH',
      { name: 'Hate', source: 'Prompt', enabled: true, severityThreshold: 'High', blocking: false },
    ],
    ['self-harm:Completion:off', { name: 'Selfharm', source: 'Completion', enabled: false }],
    ['indirect_attack:block', { name: 'Indirect Attack', source: 'Prompt', enabled: true, blocking: true }],
    ['PII:prompt', { name: 'Personally Identifiable Information', source: 'Prompt', enabled: true }],
    ['groundedness', { name: 'Groundedness', source: 'Completion', enabled: true }],
  ])('%s', (text, filter) => {
    expect(parseFilter(text)).toEqual([filter as never])
  })

  test.each([
    ['hatred', /"hatred" is no filter. Allowed are hate, sexual, .* pii, custom_topics/],
    ['custom_blocklists', /--blocklist/],
    ['jailbreak:Low', /"Low" means nothing for Jailbreak. Allowed are Prompt, Completion, block, annotate, off/],
    ['jailbreak:Completion', /Jailbreak is a filter of the Prompt side only/],
    ['hate:Low:High', /"Low" and "High" exclude each other/],
    ['hate:', /"" means nothing for Hate/],
    ['', /"" is no filter/],
  ])('%p is refused with what is allowed', (text, message) => {
    expect(() => parseFilter(text)).toThrow(message)
  })

  test('to be removed is named by its place alone', () => {
    expect(parsePlace('hate:Prompt')).toEqual([{ name: 'Hate', source: 'Prompt' }])
    expect(() => parsePlace('hate:Low')).toThrow(/Allowed are Prompt, Completion/)
  })
})

test('lists and topics block on both sides unless they say otherwise', () => {
  expect(parseList('offices')).toEqual([
    { name: 'offices', source: 'Prompt', blocking: true },
    { name: 'offices', source: 'Completion', blocking: true },
  ])
  expect(parseList('offices:Completion:annotate')).toEqual([{ name: 'offices', source: 'Completion', blocking: false }])
  expect(() => parseList('offices:redact')).toThrow(/Allowed are Prompt, Completion, block, annotate/)
  expect(() => parseList(':Prompt')).toThrow(/NAME/)
})

test('a type of personal data is a filter of its own until they come together', () => {
  expect(parsePii('Email:Prompt:redact')).toEqual([
    {
      name: 'Personally Identifiable Information',
      source: 'Prompt',
      enabled: true,
      piiTypes: [{ type: 'Email', action: 'redact' }],
    },
  ])
  expect(parsePii('Email')).toHaveLength(2)
  expect(() => parsePii('Email:hide')).toThrow(/Allowed are Prompt, Completion, block, annotate, redact/)
})
