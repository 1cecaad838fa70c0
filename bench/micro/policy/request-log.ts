import { setImmediate as turn } from 'node:timers/promises'
import { makeChatCall, makeDeployment, makeExchange } from '../../../src/core/exchange.fixture.ts'
import type { Exchange } from '../../../src/core/exchange.ts'
import { timeId } from '../../../src/core/text/id.ts'
import { openRecord, type RequestRecord } from '../../../src/core/usage/request-record.ts'
import { openTally } from '../../../src/core/usage/tally.ts'
import { closeRecord } from '../../../src/policy/request-log/close-record.ts'
import { writeOwnPart } from '../../../src/policy/request-log/document.ts'
import { createRequestLog } from '../../../src/policy/request-log/request-log.ts'
import { writeSharedPart } from '../../../src/policy/request-log/shared-part.ts'
import { packBlock } from '../../../src/port/requests/block.ts'
import { gatherLines, readLines } from '../../../src/port/requests/lines.ts'
import { readRow } from '../../../src/port/requests/row.ts'
import { createLiveCounts } from '../../../src/telemetry/live-counts.ts'
import type { Bench } from '../bench.ts'

/** What a request pays for its line in the log: on its way, right after it, and on the other thread. */

const deployment = makeDeployment({ name: 'gpt-4o' })
const call = makeChatCall()
const filler = 'The quick brown fox jumps over the lazy dog. '.repeat(20)
const text = JSON.stringify({
  model: 'gpt-4o',
  messages: [{ role: 'user', content: filler }],
  temperature: 1,
  max_tokens: 100,
})
const headers = {
  authorization: 'Bearer x',
  'content-type': 'application/json',
  accept: 'application/json',
  'user-agent': 'ponto',
}
const usage = { promptTokens: 300, completionTokens: 120 }
const log = createRequestLog({ store: { append: async () => {} }, now: Date.now, onProblem: () => {} })
const live = createLiveCounts(Date.now)
const base = makeExchange({ call, deployment })

/** All that is written down of a call with a limit and one backend. */
function record(): RequestRecord {
  const startedAt = Date.now()
  const made = openRecord(timeId(startedAt), startedAt, performance.now())
  made.method = 'POST'
  made.path = '/openai/v1/chat/completions'
  made.surface = 'openai-chat'
  made.address = '127.0.0.1'
  made.requestBytes = Buffer.byteLength(text)
  const tally = openTally()
  tally.usage = usage
  const exchange: Exchange = { ...base, id: made.id, record: made, tally }
  made.limits.push({
    ...{
      action: 'admitted',
      deployment: 'gpt-4o',
      promptTokens: 300,
      completionTokens: 100,
      isGuess: false,
      refusedBy: -1,
    },
    counters: [
      { owner: 'deployment', measure: 'tokens', limit: 100_000, used: 400, cost: 400, resetMs: 60_000 },
      { owner: 'deployment', measure: 'requests', limit: 600, used: 1, cost: 1, resetMs: 10_000 },
    ],
  })
  tally.sent = { method: 'POST', url: 'https://api.example.com/v1/chat/completions', headers, text }
  tally.answeredMs = performance.now()
  made.attempts.push({ backend: 'b', spanId: '', startedMs: 0.2, ms: 400, status: 200, code: '' })
  closeRecord(exchange, 'done', undefined, performance.now())
  return made
}

const one = record()
const lines = Array.from({ length: 1024 }, (_, i) => {
  const own = writeOwnPart({ ...one, id: timeId(one.startedAt + i) }, one.startedAt + i)
  return own + writeSharedPart(one)
})
const lot = gatherLines(lines)

export const requestLogBenches: readonly Bench[] = [
  {
    name: 'policy/request-log: everything on the way of a request',
    async run(times) {
      for (let i = 0; i < times; i++) {
        const made = record()
        live.listener(made)
        log.listener(made)
        // As many as come in a turn of a busy server.
        if (i % 32 === 31) await turn()
      }
      await log.flush()
    },
  },
  {
    name: 'policy/request-log: of this, what is filled in and counted',
    run(times) {
      for (let i = 0; i < times; i++) live.listener(record())
    },
  },
  {
    name: 'policy/request-log: of this, a record made into a line',
    run(times) {
      for (let i = 0; i < times; i++) {
        writeOwnPart(one, i)
        writeSharedPart(one)
      }
    },
  },
  {
    name: 'port/requests: a record packed, on the other thread',
    run(times) {
      for (let i = 0; i < times; i += lot.count) packBlock([...readLines(lot)].map(readRow))
    },
  },
]
