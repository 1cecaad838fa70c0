import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { timeId } from '../../src/core/text/id.ts'
import { openSqliteRequests } from '../../src/port/requests/adapters/sqlite.ts'
import { gatherLines } from '../../src/port/requests/lines.ts'
import type { RequestDocument, RequestQuery } from '../../src/port/requests/port.ts'

/** A log of so many requests: how large it is, how long searches in it take, and whether it stays as large as it may get. */

const all: RequestQuery = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, top: 50 }
const rowsAtOnce = 1_024
const deployments = Array.from({ length: 40 }, (_, i) => `deployment-${i}`)
const keys = Array.from({ length: 500 }, (_, i) => `team-${i}`)
const searches = 5

export async function fillAndSearch(count: number, tell: (text: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ponto-bench-requests-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'requests.db')
  const store = await openSqliteRequests(file)
  const size = (): number => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
  const start = Date.UTC(2026, 0, 1)
  // A month of them.
  const stepMs = (30 * 86_400_000) / count
  const before = process.cpuUsage()
  const beganMs = performance.now()
  for (let made = 0; made < count; made += rowsAtOnce) {
    const lines = Array.from({ length: Math.min(rowsAtOnce, count - made) }, (_, i) =>
      JSON.stringify(makeRequest(start + (made + i) * stepMs)),
    )
    await store.append([gatherLines(lines)], [])
    if (Math.floor(made / 1e6) !== Math.floor((made + rowsAtOnce) / 1e6))
      tell(`${Math.round((made + rowsAtOnce) / 1e6)} million`)
  }
  const cpu = process.cpuUsage(before)
  const seconds = (performance.now() - beganMs) / 1_000
  console.log(
    `${count} records in ${seconds.toFixed(0)} s, ${((cpu.user + cpu.system) / count).toFixed(1)} us of CPU each with their making; ${(size() / 1e6).toFixed(0)} MB, ${(size() / count).toFixed(0)} bytes each`,
  )

  const end = start + count * stepMs
  const questions: Readonly<Record<string, Partial<RequestQuery>>> = {
    'the newest 50': {},
    'of one deployment (1 in 40)': { deployment: deployments[20] },
    'of one key (1 in 500)': { caller: keys[250] },
    'status 500 (1 in 1,000)': { status: [500, 501] },
    'limited, of one deployment': { deployment: deployments[20], isLimited: true },
    'a code that never occurs': { code: 'model-retired' },
    'a key that never occurs': { caller: 'nobody' },
    'three rare things at once': { deployment: deployments[39], caller: keys[499], status: [500, 501] },
    'slower than all but 1 in 100,000': { minMs: 2_999.97 },
    'an hour in the middle': { fromMs: (start + end) / 2, toMs: (start + end) / 2 + 3_600_000 },
    'a page far back': { after: start + (end - start) / 10 },
    'a text (1 in 500)': { text: '10.0.1.77' },
    'a text that never occurs': { text: 'nowhere' },
  }
  console.log(`${'search'.padEnd(34)}  ${'first page, ms'.padStart(14)}  ${'whole, ms'.padStart(9)}  pages  found`)
  for (const [name, question] of Object.entries(questions)) {
    const firsts: number[] = []
    const wholes: number[] = []
    let [pages, found] = [0, 0]
    for (let i = 0; i < searches; i++) {
      const from = performance.now()
      let page = await store.search({ ...all, ...question })
      firsts.push(performance.now() - from)
      ;[pages, found] = [1, page.documents.length]
      while (found < all.top && page.after !== undefined) {
        page = await store.search({ ...all, ...question, after: page.after })
        pages++
        found += page.documents.length
      }
      wholes.push(performance.now() - from)
    }
    console.log(
      `${name.padEnd(34)}  ${median(firsts).toFixed(1).padStart(14)}  ${median(wholes).toFixed(0).padStart(9)}  ${String(pages).padStart(5)}  ${found}`,
    )
  }
  const page = await store.search(all)
  const wanted = page.documents.at(-1) as RequestDocument
  const from = performance.now()
  await store.find(wanted.id)
  console.log(`${'by its id'.padEnd(34)}  ${(performance.now() - from).toFixed(1).padStart(14)}`)

  const { bytes } = await store.totals()
  const maxBytes = bytes / 4
  const sweptMs = performance.now()
  let longestMs = 0
  for (let hasMore = true; hasMore; ) {
    const sweepMs = performance.now()
    hasMore = await store.sweep({ before: 0, maxBytes, now: 0 })
    longestMs = Math.max(longestMs, performance.now() - sweepMs)
  }
  const after = await store.totals()
  console.log(
    `bounded to a quarter: ${(after.bytes / 1e6).toFixed(0)} of at most ${(maxBytes / 1e6).toFixed(0)} MB left, ${after.count} records, in ${((performance.now() - sweptMs) / 1000).toFixed(1)} s; a piece took ${longestMs.toFixed(0)} ms at most`,
  )
  await store.close()
  console.log(`the file then: ${(size() / 1e6).toFixed(0)} MB`)
}

/** As the log writes them: a chat with a limit and one backend. */
function makeRequest(at: number): RequestDocument {
  const [deployment, caller] = [pick(deployments), pick(keys)]
  const chance = Math.random()
  const status = chance < 0.96 ? 200 : chance < 0.98 ? 429 : chance < 0.99 ? 400 : chance < 0.999 ? 503 : 500
  const [upstreamMs, totalMs] = [tenth(900), tenth(30_000) / 10]
  const failure = {
    200: {},
    400: { code: 'invalid-request', param: 'messages' },
    429: {
      code: 'rate-limited',
      isLimited: true,
      message: `Requests to the ChatCompletions_Create Operation have exceeded token rate limit of deployment '${deployment}'. Please retry after ${whole(60)} seconds.`,
    },
    500: { code: 'internal' },
    503: { code: 'upstream-unavailable' },
  }[status] as object
  return {
    id: timeId(Math.floor(at - totalMs)),
    time: new Date(at - totalMs).toISOString(),
    at,
    outcome: status === 200 ? 'done' : status === 429 ? 'refused' : 'failed',
    status,
    method: 'POST',
    path: '/openai/v1/chat/completions',
    timings: { totalMs, upstreamMs },
    requestBytes: whole(5_000),
    responseBytes: whole(5_000),
    ...failure,
    ...{
      resource: 'ponto',
      caller,
      callerKind: 'key',
      address: `10.0.${whole(4)}.${whole(128)}`,
      surface: 'openai-chat',
    },
    ...{ operation: 'chat', clientRequestId: crypto.randomUUID(), asked: deployment, deployment },
    ...{ model: 'gpt-4o', modelVersion: '2024-11-20', tier: 'default', backend: 'upstream-1' },
    attempts: [{ backend: 'upstream-1', startedMs: 0.3, ms: upstreamMs, status: 200 }],
    tokens: { prompt: whole(4_000), cached: 0, completion: whole(900), reasoning: 0 },
    limits: [
      {
        ...{
          action: 'admitted',
          deployment,
          promptTokens: whole(4_000),
          completionTokens: 256,
          isGuess: false,
          refusedBy: -1,
        },
        counters: [
          {
            owner: 'deployment',
            measure: 'tokens',
            limit: 100_000,
            used: whole(100_000),
            cost: whole(4_000),
            resetMs: whole(60_000),
          },
          { owner: 'deployment', measure: 'requests', limit: 600, used: whole(600), cost: 1, resetMs: whole(10_000) },
        ],
      },
    ],
    sent: {
      method: 'POST',
      url: 'https://api.example.com/v1/chat/completions',
      headers: {
        authorization: '[masked]',
        'content-type': 'application/json',
        accept: 'application/json',
        'user-agent': 'ponto',
      },
      bytes: whole(5_000),
      fields: ['model', 'messages', 'temperature', 'max_tokens'],
    },
  } as RequestDocument
}

const whole = (most: number): number => Math.floor(Math.random() * most)
const tenth = (most: number): number => whole(most * 10) / 10
const pick = (names: readonly string[]): string => names[whole(names.length)] as string

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number
}
