import { afterEach, beforeEach, describe, expect, jest, test } from 'bun:test'
import { timeId } from '../../core/text/id.ts'
import { openRecord, type RequestRecord } from '../../core/usage/request-record.ts'
import type { RequestContent, RequestDocument, RequestLines } from '../../port/requests/port.ts'
import { createRequestLog, type RequestLog } from './request-log.ts'

const start = Date.UTC(2026, 10, 24, 12)
let lines: string[]
let contents: RequestContent[]
let batches: number[]
let failing: boolean
let gate: Promise<void> | undefined
let problems: string[]
let log: RequestLog

const open = (options: Partial<Parameters<typeof createRequestLog>[0]> = {}) => {
  const append = async (lots: readonly RequestLines[], said: readonly RequestContent[]) => {
    await gate
    if (failing) throw new Error('the disk is full')
    const more = lots.flatMap(({ ends, own }) =>
      new TextDecoder()
        .decode(own.slice())
        .split('\n')
        .map((line) => line.slice(line.indexOf('{')) + ends[Number.parseInt(line, 10)]),
    )
    batches.push(more.length)
    lines.push(...more)
    contents.push(...said)
  }
  log = createRequestLog({ store: { append }, now: () => start, onProblem: (text) => problems.push(text), ...options })
}

beforeEach(() => {
  jest.useFakeTimers()
  ;[lines, contents, batches, failing, gate, problems] = [[], [], [], false, undefined, []]
  open()
})
afterEach(async () => {
  jest.useRealTimers()
  ;[failing, gate] = [false, undefined]
  await log.close()
})

function record(more: Partial<RequestRecord> = {}, startedAt = start): RequestRecord {
  const made = { ...openRecord(timeId(startedAt), startedAt, 0), ...more }
  return { ...made, outcome: 'done', status: 200, caller: 'key1', callerKind: more.callerKind ?? 'key', totalMs: 5 }
}
const documents = (): RequestDocument[] => lines.map((line) => JSON.parse(line) as RequestDocument)

describe('writing', () => {
  test('once a second, and at once when many have come', async () => {
    log.listener(record())
    expect(lines).toEqual([])
    expect(log.state().waiting).toBe(1)
    jest.advanceTimersByTime(1_000)
    await log.flush()
    expect(lines).toHaveLength(1)
    expect(log.state()).toEqual({ written: 1, waiting: 0, lost: 0, lostContents: 0, leftOut: 0, problem: undefined })
  })

  test('in the order of ends, no two at the same time', async () => {
    for (let i = 0; i < 1_500; i++) log.listener(record())
    jest.useRealTimers()
    await log.flush()
    const ats = documents().map(({ at }) => at)
    expect(ats).toHaveLength(1_500)
    expect(new Set(ats).size).toBe(1_500)
    expect(ats).toEqual(ats.toSorted((a, b) => a - b))
    expect(Math.max(...batches)).toBeLessThanOrEqual(1_024)
  })

  test('what is empty is left out', async () => {
    log.listener(record())
    await log.flush()
    expect(Object.keys(documents()[0] as object).toSorted()).toEqual([
      'at',
      'caller',
      'callerKind',
      'id',
      'method',
      'outcome',
      'path',
      'requestBytes',
      'responseBytes',
      'status',
      'time',
      'timings',
    ])
  })
})

describe('a store that fails', () => {
  test('is told of once, is left alone for a while, and gets everything when it is back', async () => {
    failing = true
    log.listener(record())
    await log.flush()
    log.listener(record())
    await log.flush()
    expect(problems).toEqual(['the request log cannot be written; requests go on without it: the disk is full'])
    expect(log.state()).toMatchObject({ written: 0, waiting: 2, problem: 'the disk is full' })
    failing = false
    await log.flush()
    expect(lines).toHaveLength(2)
    expect(problems[1]).toBe('the request log is written again')
    expect(log.state().problem).toBeUndefined()
  })

  test('for long: the oldest are lost, counted and told of; those who follow see all', async () => {
    open({ maxHeld: 100 })
    failing = true
    const seen: string[] = []
    log.follow(({ id }) => void seen.push(id))
    const records = Array.from({ length: 250 }, () => record())
    for (const one of records) log.listener(one)
    jest.useRealTimers()
    await log.flush()
    const { waiting, lost } = log.state()
    // They go a few at a time.
    expect(waiting).toBeGreaterThan(30)
    expect(waiting).toBeLessThanOrEqual(100)
    expect(waiting + lost).toBe(250)
    expect(problems.some((text) => text.startsWith('records of requests are lost'))).toBe(true)
    expect(seen).toEqual(records.map(({ id }) => id))
    failing = false
    await log.flush()
    expect(documents().map(({ id }) => id)).toEqual(records.slice(lost).map(({ id }) => id))
  })

  test('one that never answers holds nothing up but what waits, which is bounded', async () => {
    open({ maxHeld: 50 })
    const hung = Promise.withResolvers<void>()
    gate = hung.promise
    log.listener(record())
    const flushed = log.flush()
    for (let i = 0; i < 200; i++) log.listener(record())
    gate = undefined
    hung.resolve()
    jest.useRealTimers()
    await flushed
    await log.flush()
    const { written, lost, waiting } = log.state()
    expect([waiting, written + lost]).toEqual([0, 201])
    expect(written).toBe(lines.length)
  })

  test('that stays away at the end loses what is left, and says how much', async () => {
    jest.useRealTimers()
    failing = true
    log.listener(record())
    await log.close()
    expect(problems.at(-1)).toBe('1 records of requests could not be written and are lost')
  })
})

test('strangers are kept by the second, and the others counted; who is known is always kept', async () => {
  for (let i = 0; i < 200; i++) log.listener(record({ callerKind: 'none' }))
  for (let i = 0; i < 200; i++) log.listener(record())
  log.listener(record({ callerKind: 'none' }, start + 1_000))
  jest.useRealTimers()
  await log.flush()
  expect(lines).toHaveLength(50 + 200 + 1)
  expect(log.state().leftOut).toBe(150)
})

test('who follows no more is told no more', async () => {
  const seen: string[] = []
  const end = log.follow(({ id }) => void seen.push(id))
  log.listener(record())
  await log.flush()
  end()
  log.listener(record())
  await log.flush()
  expect(seen).toHaveLength(1)
})

describe('what is written down', () => {
  const written = async (more: Partial<RequestRecord>): Promise<RequestDocument> => {
    log.listener(record(more))
    jest.useRealTimers()
    await log.flush()
    return documents().at(-1) as RequestDocument
  }

  test('of the request upstream no secret, by whatever name it goes', async () => {
    const secret = 'PLANTED'
    const names = [
      'authorization',
      'Api-Key',
      'x-api-key',
      'x-goog-api-key',
      'x-amz-security-token',
      'cookie',
      'ocp-apim-subscription-key',
    ]
    const headers = { accept: 'application/json', ...Object.fromEntries(names.map((name) => [name, secret])) }
    const sent = { method: 'POST', url: `https://user:${secret}@host/v1/chat?key=${secret}&api-version=1`, headers }
    const document = await written({ sent, sentBytes: 10, sentFields: ['model'] })
    expect(JSON.stringify(document)).not.toContain(secret)
    expect(document.sent).toMatchObject({ method: 'POST', fields: ['model'] })
    expect(document.sentBytes).toBe(10)
    expect(document.sent?.headers.accept).toBe('application/json')
    expect(document.sent?.url).toContain('api-version=1')
  })

  test('prompt and answer, where they are captured, beside the record and for as long as was said', async () => {
    const document = await written({
      operation: 'chat',
      captured: {
        ...{
          hasPrompt: true,
          isRedacted: false,
          retentionDays: 2,
          prompt: '{"a":"b"}',
          sent: '{"a":"c"}',
          isCut: false,
        },
        answer: [
          { type: 'text-delta', choice: 0, text: 'Hel' },
          { type: 'text-delta', choice: 0, text: 'lo' },
          { type: 'choice-end', choice: 0, reason: 'stop' },
        ],
      },
    })
    expect(document.isCaptured).toBe(true)
    expect(JSON.stringify(document)).not.toContain('Hello')
    const [content] = contents
    expect(content).toMatchObject({
      id: document.id,
      prompt: '{"a":"b"}',
      sent: '{"a":"c"}',
      expiresAt: start + 2 * 86_400_000,
    })
    expect(JSON.parse(content?.answer ?? '').choices[0]).toMatchObject({ text: 'Hello', finishReason: 'stop' })
  })

  test('without personal data where that is wanted, also where a stream cut through it', async () => {
    await written({
      captured: {
        ...{ hasPrompt: true, isRedacted: true, retentionDays: 1, sent: '', isCut: false },
        prompt: JSON.stringify({ messages: [{ content: 'Write to ann@example.com "now"' }] }),
        answer: [
          { type: 'text-delta', choice: 0, text: 'To bob@exam' },
          { type: 'text-delta', choice: 0, text: 'ple.com then' },
        ],
      },
    })
    const [content] = contents
    expect(JSON.parse(content?.prompt ?? '')).toEqual({ messages: [{ content: 'Write to [Email] "now"' }] })
    expect(content?.answer).toContain('To [Email] then')
    expect(content?.isRedacted).toBe(true)
  })

  test('what is very long is cut', async () => {
    await written({
      captured: {
        ...{ hasPrompt: true, isRedacted: true, retentionDays: 1, sent: '', isCut: false, answer: undefined },
        prompt: `{"a":"${'ann@example.com '.repeat(40_000)}`,
      },
    })
    const [content] = contents
    expect(content?.isCut).toBe(true)
    expect(content?.prompt?.length).toBeLessThanOrEqual(64 * 1024)
    expect(content?.prompt).not.toContain('ann@')
  })
})
