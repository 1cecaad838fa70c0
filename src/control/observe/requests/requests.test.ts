import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { operator, type Principal } from '../../../core/access/principal.ts'
import { Fault } from '../../../core/fault.ts'
import { timeId } from '../../../core/text/id.ts'
import { openRecord, type RequestRecord } from '../../../core/usage/request-record.ts'
import { createRequestLog, type RequestLog } from '../../../policy/request-log/request-log.ts'
import { openSqliteRequests } from '../../../port/requests/adapters/sqlite.ts'
import type { RequestDocument, RequestStore } from '../../../port/requests/port.ts'
import type { Answer } from '../../http/answer.ts'
import { matchRoutes, type Visit } from '../../http/route.ts'
import { listRequestRoutes } from './routes.ts'
import { streamRequests } from './stream.ts'

let folder: string
let store: RequestStore
let log: RequestLog
let stopping: AbortController
let startedAt = Date.now()

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ponto-requests-'))
  store = await openSqliteRequests(join(folder, 'requests.db'))
  log = createRequestLog({ store, now: Date.now, onProblem: () => {} })
  stopping = new AbortController()
})
afterEach(async () => {
  stopping.abort()
  await log.close()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

function note(more: Partial<RequestRecord> = {}): string {
  const id = timeId(++startedAt)
  const record: RequestRecord = { ...openRecord(id, startedAt, 0), caller: 'ci', callerKind: 'key', method: 'POST' }
  log.listener({ ...record, outcome: 'done', status: 200, deployment: 'gpt', totalMs: 1, ...more })
  return id
}

const reader: Principal = {
  ...operator,
  kind: 'token',
  roles: [{ role: 'Reader', scope: { kind: 'server' } }],
}

async function get(path: string, principal = operator, isOn = true): Promise<Answer> {
  const routes = listRequestRoutes({
    requests: { log: isOn ? log : undefined, store, live: { views: () => [] }, stopping: stopping.signal },
  })
  const url = new URL(path, 'http://localhost/')
  const [match] = matchRoutes(routes, url.pathname)
  if (!match) throw new Error(`no route ${path}`)
  const { name = '' } = match.params
  return match.route.handle(new Request(url), name, '', { principal } as Visit)
}

async function refusalOf(path: string, isOn = true): Promise<string> {
  const error = await get(path, operator, isOn).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error instanceof Fault ? `${error.status} ${error.message}` : String(error)
}

type Page = { readonly value: readonly RequestDocument[]; readonly nextLink?: string }
const idsOf = ({ body }: Answer): string[] => (body as Page).value.map(({ id }) => id)

describe('the list', () => {
  test('has what was just asked, newest first, and goes on at its link with the same filter', async () => {
    const ids = [1, 2, 3, 4, 5].map((ms) => note({ totalMs: ms, deployment: ms === 3 ? 'other' : 'gpt' }))
    const first = await get('/requests?deployment=GPT&top=2')
    expect(idsOf(first)).toEqual([ids[4], ids[3]] as string[])
    const second = await get((first.body as Page).nextLink as string)
    expect(idsOf(second)).toEqual([ids[1], ids[0]] as string[])
    expect(second.body).not.toHaveProperty('nextLink')
  })

  test.each([
    ['top=0', '400 top: got "0", expected a whole number from 1 to 1000'],
    ['status=99', '400 status: got "99", expected a status such as 429, or 4xx'],
    ['filtered=maybe', '400 filtered: got "maybe"'],
    ['minMs=-1', '400 minMs: got "-1", expected whole milliseconds'],
    ['after=x', '400 after: got "x", expected the "after" of a nextLink'],
    ['operation=sing', '400 operation: got "sing"'],
    ['code=nonsense', '400 code: got "nonsense"'],
    ['from=2026-02-02&to=2026-02-01', '400 from: got 2026-02-02, expected a time before "to", 2026-02-01'],
    ['key=a&key=b', '400 key: got'],
    ['page=2', '400 page: unknown field'],
  ])('%s is refused by name', async (query, message) => {
    expect(await refusalOf(`/requests?${query}`)).toStartWith(message)
  })

  test('a store that is away is waited for a moment only, and then told', async () => {
    await store.close()
    note()
    expect(await refusalOf('/requests')).toContain('The database is closed')
    store = await openSqliteRequests(join(folder, 'requests.db'))
  })
})

describe('one request', () => {
  const said = {
    hasPrompt: true,
    isRedacted: false,
    retentionDays: 1,
    prompt: '{"a":1}',
    sent: '',
    answer: undefined,
    isCut: false,
  }

  test('with what was said for those who may read it', async () => {
    const id = note({ captured: said })
    const { body } = await get(`/requests/${id}`)
    expect(body).toMatchObject({ id, content: { prompt: '{"a":1}', expiresAt: expect.any(String) } })
    const { body: forReader } = await get(`/requests/${id}`, reader)
    expect(forReader).toMatchObject({ id, isContentWithheld: true })
    expect(forReader).not.toHaveProperty('content')
  })

  test('that is not there', async () => {
    expect(await refusalOf('/requests/x')).toStartWith('404 There is no request "x" in the log.')
    expect(await refusalOf(`/requests/${timeId(1)}`)).toStartWith('404')
  })
})

test('without a log everything but the counts says how to get one', async () => {
  for (const path of ['/requests', '/requests/x', '/requests/stream', '/requests/summary']) {
    expect(await refusalOf(path, false)).toStartWith(
      '404 This server keeps no request log. Start it with --request-log-days 30',
    )
  }
  expect(await get('/live', operator, false)).toEqual({ status: 200, body: { value: [] } })
})

test('the summary tells how much there is and how the writing goes', async () => {
  note()
  await log.flush()
  expect((await get('/requests/summary')).body).toMatchObject({
    written: 1,
    waiting: 0,
    lost: 0,
    count: 1,
    oldest: expect.any(String),
  })
})

describe('the stream', () => {
  const read = async (stream: AsyncGenerator<string, undefined>): Promise<unknown[]> => {
    const { value = '' } = await stream.next()
    return value.split('\n\n').flatMap((part) => (part.startsWith('data: ') ? [JSON.parse(part.slice(6))] : []))
  }

  test('tells of those that are asked for as they end, and ends with the server', async () => {
    const { events } = await get('/requests/stream?status=4xx&text=CI')
    const stream = events as AsyncGenerator<string, undefined>
    expect((await stream.next()).value).toStartWith(':')
    note()
    const id = note({ status: 429 })
    await log.flush()
    expect(await read(stream)).toMatchObject([{ id, status: 429 }])
    stopping.abort()
    expect((await stream.next()).done).toBe(true)
  })

  test('a reader that is too slow is told how many it has missed, and what waits for it is bounded', async () => {
    let tell = (_document: RequestDocument): void => {}
    let isOver = false
    const follow: RequestLog['follow'] = (onDocument) => {
      tell = onDocument
      return () => {
        isOver = true
      }
    }
    const stream = streamRequests(follow, () => true, stopping.signal)
    await stream.next()
    const document = { id: 'x' } as RequestDocument
    for (let i = 0; i < 10_000; i++) tell(document)
    const [first, ...rest] = await read(stream)
    const { dropped } = first as { dropped: number }
    expect(dropped + rest.length).toBe(10_000)
    expect(rest.length).toBeLessThanOrEqual(2_000)
    await stream.return(undefined)
    expect(isOver).toBe(true)
  })

  test('a filter that is wrong is refused before it begins', async () => {
    expect(await refusalOf('/requests/stream?from=2026-01-01')).toStartWith('400 from: unknown field')
  })
})
