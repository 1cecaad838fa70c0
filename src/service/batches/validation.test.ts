import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../core/json.ts'
import { createBatch, createClock, type Home, openHome, task, team } from './batches.fixture.ts'
import type { BatchParts } from './parts.ts'

type Told = { readonly code: string; readonly line: number | null; readonly param: string | null }

let home: Home

beforeEach(async () => {
  home = await openHome()
})
afterEach(() => home.remove())

/** What is told of an input. */
async function judge(
  input: string | Uint8Array,
  parts: Partial<BatchParts> = {},
  more: JsonObject = {},
  caller = undefined as typeof team | undefined,
) {
  const process = home.open(parts)
  const file = home.store.put(input, { owner: caller ? 'team' : '' })
  const id = await createBatch(process, file, more, caller)
  let isDone = false
  void process.work().finally(() => {
    isDone = true
  })
  await home.clock.until(() => isDone)
  const batch = await home.table.get(id)
  const errors = (batch?.errors ?? []) as (Told & { message: string })[]
  return { batch, errors, told: errors.map(({ code, line, param }): Told => ({ code, line, param })) }
}

const good = task('good')
const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))))

describe('an input with something wrong in it fails, and it is told where', () => {
  const single: readonly (readonly [string, string | Uint8Array, readonly Told[]])[] = [
    ['nothing', '', [{ code: 'empty_file', line: null, param: null }]],
    ['no request', '\n  \r\n\n', [{ code: 'empty_batch', line: null, param: null }]],
    ['no JSON', `${good}\n{"custom_id":\n`, [{ code: 'invalid_json_line', line: 2, param: null }]],
    [
      'JSON of another kind',
      `${good}\n[1]\n"x"`,
      [
        { code: 'invalid_json_line', line: 2, param: null },
        { code: 'invalid_json_line', line: 3, param: null },
      ],
    ],
    [
      'JSON that is too deep',
      `{"a":${'['.repeat(3000)}${']'.repeat(3000)}}\n${good}`,
      [{ code: 'invalid_json_line', line: 1, param: null }],
    ],
    ['a byte order mark', bytes([0xef, 0xbb, 0xbf], good), [{ code: 'invalid_json_line', line: 1, param: null }]],
    [
      'UTF-16',
      bytes(
        [0xff, 0xfe],
        [...good].flatMap((letter) => [letter.charCodeAt(0), 0]),
      ),
      [{ code: 'invalid_json_line', line: 1, param: null }],
    ],
    [
      'bytes that are no UTF-8',
      bytes(`${good}\n\n`, '{"custom_id":"', [0xc3, 0x28], '"}\n'),
      [{ code: 'invalid_json_line', line: 3, param: null }],
    ],
    ['no custom_id', task('x', { custom_id: null }), [{ code: 'invalid_request', line: 1, param: 'custom_id' }]],
    ['an empty custom_id', `\n${task('')}`, [{ code: 'invalid_request', line: 2, param: 'custom_id' }]],
    [
      'a custom_id that is a number',
      task('x', { custom_id: 7 }),
      [{ code: 'invalid_request', line: 1, param: 'custom_id' }],
    ],
    ['a custom_id that is too long', task('x'.repeat(513)), [{ code: 'invalid_request', line: 1, param: 'custom_id' }]],
    [
      'a custom_id with a control character',
      task('a\u0000b'),
      [{ code: 'invalid_request', line: 1, param: 'custom_id' }],
    ],
    ['another method', task('x', { method: 'GET' }), [{ code: 'invalid_request', line: 1, param: 'method' }]],
    ['no method', task('x', { method: null }), [{ code: 'invalid_request', line: 1, param: 'method' }]],
    ['no url', task('x', { url: null }), [{ code: 'invalid_request', line: 1, param: 'url' }]],
    [
      'another url',
      `${good}\n${task('x', { url: '/v1/embeddings' })}`,
      [{ code: 'url_mismatch', line: 2, param: 'url' }],
    ],
    [
      'an address for url',
      task('x', { url: 'https://example.com/chat/completions' }),
      [{ code: 'url_mismatch', line: 1, param: 'url' }],
    ],
    ['no body', task('x', { body: null }), [{ code: 'invalid_request', line: 1, param: 'body' }]],
    ['a list for body', task('x', { body: [] }), [{ code: 'invalid_request', line: 1, param: 'body' }]],
    ['no model', task('x', {}, { model: null }), [{ code: 'invalid_request', line: 1, param: 'body.model' }]],
    ['a stream', task('x', {}, { stream: true }), [{ code: 'invalid_request', line: 1, param: 'body.stream' }]],
    [
      'a model that there is not',
      task('x', {}, { model: 'none' }),
      [{ code: 'model_not_found', line: 1, param: 'body.model' }],
    ],
    [
      'a model for something else',
      task('x', {}, { model: 'embed' }),
      [{ code: 'invalid_request', line: 1, param: 'body.model' }],
    ],
    [
      'two models',
      `${good}\n${task('x', {}, { model: 'GPT' })}\n${task('y', {}, { model: 'embed' })}`,
      [{ code: 'model_mismatch', line: 3, param: 'body.model' }],
    ],
    [
      'a custom_id twice',
      `${good}\n${task('x')}\n\n${good}\n${task('x')}`,
      [
        { code: 'duplicate_custom_id', line: 4, param: 'custom_id' },
        { code: 'duplicate_custom_id', line: 5, param: 'custom_id' },
      ],
    ],
  ]
  for (const [what, input, expected] of single) {
    test(what, async () => {
      const { batch, told } = await judge(input)
      expect(told).toEqual([...expected])
      expect(batch).toMatchObject({ status: 'failed', failedAt: home.clock.now(), enqueuedTokens: 0, total: 0 })
      expect(await home.table.listWaiting(batch?.id ?? '', 0, 9)).toEqual([])
    })
  }

  test('in the order of the lines, wherever they were found', async () => {
    const input = [good, good, '{', task('x'), task('x', { url: '/embeddings' }), task('x')].join('\r\n')
    const { told } = await judge(input, { settings: { portionLines: 2 } })
    expect(told.map(({ code, line }) => [line, code])).toEqual([
      [2, 'duplicate_custom_id'],
      [3, 'invalid_json_line'],
      [5, 'url_mismatch'],
      [6, 'duplicate_custom_id'],
    ])
  })

  test('a custom_id that comes again in another portion', async () => {
    const lines = Array.from({ length: 30 }, (_, i) => task(`task-${i % 20}`)).join('\n')
    const { told } = await judge(lines, { settings: { portionLines: 7 } })
    expect(told.map(({ line }) => line)).toEqual([21, 22, 23, 24, 25, 26, 27, 28, 29, 30])
  })

  test('one line more than there may be; what comes after it is not read', async () => {
    const lines = [task('a'), '', task('b'), task('c'), '{'].join('\n')
    const { told } = await judge(lines, { settings: { maxLines: 2 } })
    expect(told).toEqual([{ code: 'too_many_tasks', line: 4, param: null }])
    expect((await judge(lines.slice(0, -2), { settings: { maxLines: 3 } })).batch?.status).toBe('completed')
  })

  test('a line that is too long is passed over, and those after it are judged', async () => {
    const settings = { maxLineBytes: 200 }
    const { told } = await judge(`${task('a', {}, { user: 'x'.repeat(100_000) })}\r\n${good}\n{`, { settings })
    expect(told.map(({ code, line }) => [line, code])).toEqual([
      [1, 'invalid_json_line'],
      [3, 'invalid_json_line'],
    ])
  })

  test('no more problems are told than a list may have', async () => {
    const { told } = await judge('{\n'.repeat(500), { settings: { maxProblems: 20 } })
    expect(told.map(({ line }) => line)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
  })

  test('a deployment that the key may not use is as if there were none', async () => {
    const lines = task('x', {}, { model: 'GPT-Batch' })
    expect((await judge(lines, {}, {}, team)).told).toEqual([{ code: 'model_not_found', line: 1, param: 'body.model' }])
    expect((await judge(lines)).batch).toMatchObject({ status: 'completed', deployment: 'GPT-Batch' })
  })

  test('messages do not repeat what callers wrote, but for names', async () => {
    const { errors } = await judge(`{"custom_id":"a","secret":"hunter2"\n${task('x', { body: 'hunter2 '.repeat(40) })}`)
    expect(errors[0]?.message).not.toContain('hunter2')
    expect(errors[1]?.message.length).toBeLessThan(200)
  })
})

describe('an input that is right runs', () => {
  test('with CRLF, blank lines, no last line break, both spellings of the url and any case of the model', async () => {
    const lines = [good, '', task('b', { url: '/v1/chat/completions' }), ' ', task('c', {}, { model: 'GPT' })].join(
      '\r\n',
    )
    const { batch } = await judge(lines, {}, { endpoint: '/v1/chat/completions' })
    expect(batch).toMatchObject({ status: 'completed', deployment: 'gpt', total: 3, completed: 3, failed: 0 })
    expect(home.store.lines(batch?.outputFileId).map((line) => line.custom_id)).toEqual(['good', 'b', 'c'])
  })

  for (const pieceBytes of [1, 3, 7, 64, 1_000]) {
    test(`in pieces of ${pieceBytes} bytes, with letters of several bytes`, async () => {
      await home.remove()
      home = await openHome(createClock(), pieceBytes)
      const ids = ['Größe', '東京', '🙂', 'plain', 'é'.repeat(40)]
      const { batch } = await judge(ids.map((id) => task(id)).join('\r\n'), { settings: { portionLines: 2 } })
      expect(home.store.lines(batch?.outputFileId).map((line) => line.custom_id)).toEqual(ids)
    })
  }
})

describe('the quota of waiting tokens', () => {
  const line = (id: string, words: number) =>
    task(id, {}, { model: 'GPT-Batch', messages: [{ role: 'user', content: 'word '.repeat(words) }] })

  test('a batch that has no room fails, and tells how much there is', async () => {
    const { told, errors, batch } = await judge(`${line('a', 400)}\n${line('b', 400)}`)
    expect(told).toEqual([{ code: 'token_limit_exceeded', line: null, param: null }])
    expect(errors[0]?.message).toContain('1000 enqueued tokens')
    expect(batch?.enqueuedTokens).toBe(0)
  })

  test('what others hold counts, until they have ended', async () => {
    const waiting = {
      ...((await judge(line('a', 1))).batch as NonNullable<Awaited<ReturnType<typeof judge>>['batch']>),
    }
    await home.table.add({ ...waiting, id: 'other', status: 'in_progress', enqueuedTokens: 900 })
    expect((await judge(line('b', 400))).told[0]?.code).toBe('token_limit_exceeded')
    await home.table.update('other', ['in_progress'], { status: 'completed', enqueuedTokens: 0 })
    expect((await judge(line('b', 400))).batch?.status).toBe('completed')
    expect(await home.table.sumEnqueued({ name: 'gpt-batch' })).toBe(0)
  })

  test('deployments of other SKUs have what the settings say', async () => {
    const lines = task('a', {}, { messages: [{ role: 'user', content: 'word '.repeat(100) }] })
    expect((await judge(lines, { settings: { maxEnqueuedTokens: 100 } })).told[0]?.code).toBe('token_limit_exceeded')
    expect((await judge(lines, { settings: { maxEnqueuedTokens: 200 } })).batch?.status).toBe('completed')
  })
})

describe('the file', () => {
  async function judgeAfter(change: (file: string) => void) {
    const process = home.open()
    const file = home.store.put(`${good}\n${task('b')}`)
    const id = await createBatch(process, file)
    change(file)
    await process.work()
    return (await home.table.get(id))?.errors
  }

  test('one that is deleted before it was read', async () => {
    const errors = await judgeAfter((file) => home.store.rows.delete(file))
    expect(errors).toMatchObject([{ code: 'input_no_permissions', line: null }])
  })

  test('one whose content is gone', async () => {
    const errors = await judgeAfter((file) => home.store.contents.delete(file))
    expect(errors).toMatchObject([{ code: 'input_no_permissions', line: null }])
  })

  test('one whose content is longer or shorter than it was', async () => {
    for (const content of [`${good}\n`, `${good}\n${task('b')}\n${task('c')}`]) {
      const errors = await judgeAfter((file) => home.store.contents.set(file, Buffer.from(content)))
      expect(errors).toMatchObject([{ code: 'input_modified', line: null }])
    }
  })
})
