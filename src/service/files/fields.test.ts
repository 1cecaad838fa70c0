import { describe, expect, test } from 'bun:test'
import { readExpiresAfter, readFilename, readListPurpose, readPurpose, requireFormat } from './fields.ts'

describe('the name of a file', () => {
  test.each([
    ['a.jsonl', 'a.jsonl'],
    ['Größe 東京 🙂.txt', 'Größe 東京 🙂.txt'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\Ada\\a.txt', 'a.txt'],
    ['..\\..\\a', 'a'],
    ['.hidden', '.hidden'],
    ['a"b\'c;d', 'a"b\'c;d'],
    ['x'.repeat(255), 'x'.repeat(255)],
  ])('%j', (text, name) => {
    expect(readFilename(text, 'file')).toBe(name)
  })

  test.each(['', '..', '.', 'a/', '/', 'a/..', 'a\nb', 'a\u0000b', '\ud800', 'x'.repeat(256), '東'.repeat(86)])(
    '%j is none',
    (text) => {
      expect(() => readFilename(text, 'file')).toThrow("Invalid value for 'file'")
    },
  )
})

test('purposes', () => {
  for (const purpose of ['assistants', 'batch', 'evals', 'fine-tune', 'user_data', 'vision']) {
    expect(readPurpose(purpose)).toBe(purpose)
  }
  for (const purpose of ['', 'Batch', 'batch_output', 'x'.repeat(500)]) {
    expect(() => readPurpose(purpose)).toThrow('expected one of "assistants", "batch"')
  }
  expect(readListPurpose('batch_output')).toBe('batch_output')
  expect(readListPurpose(null)).toBeUndefined()
  expect(() => readListPurpose('toString')).toThrow('"batch_output"')
})

test('lines of JSON are known by the end of the name', () => {
  for (const purpose of ['batch', 'fine-tune']) {
    expect(() => requireFormat(purpose, 'a.JSONL', 'file')).not.toThrow()
    for (const name of ['a.json', 'jsonl', 'a.jsonl.txt']) {
      expect(() => requireFormat(purpose, name, 'file')).toThrow('.jsonl')
    }
  }
  expect(() => requireFormat('assistants', 'a.pdf', 'file')).not.toThrow()
})

test('how long a file lasts', () => {
  expect(readExpiresAfter({})).toBeUndefined()
  for (const seconds of [3600, 2_592_000]) {
    expect(readExpiresAfter({ anchor: 'created_at', seconds })).toBe(seconds * 1000)
    expect(readExpiresAfter({ anchor: 'created_at', seconds: String(seconds) })).toBe(seconds * 1000)
  }
  for (const seconds of [3599, 2_592_001, '3599', '1e4', '-3600', 3600.5, '', null, undefined, [], Number.NaN]) {
    expect(() => readExpiresAfter({ anchor: 'created_at', seconds })).toThrow("'expires_after[seconds]'")
  }
  for (const anchor of ['last_active_at', undefined, null, 5]) {
    expect(() => readExpiresAfter({ anchor, seconds: 3600 })).toThrow("'expires_after[anchor]'")
  }
})
