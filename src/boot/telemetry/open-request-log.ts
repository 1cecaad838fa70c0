import { setTimeout as pause } from 'node:timers/promises'
import type { RequestsParts } from '../../control/observe/requests/routes.ts'
import type { EndListener } from '../../core/exchange.ts'
import type { RecordListener } from '../../core/usage/request-record.ts'
import type { Policy } from '../../policy/pipeline.ts'
import { createRequestLog, type RequestLogState } from '../../policy/request-log/request-log.ts'
import type { RequestPlace } from '../../port/requests/thread/protocol.ts'
import { startRequestStore } from '../../port/requests/thread/start-store.ts'
import { createLiveCounts } from '../../telemetry/live-counts.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { Family } from '../../telemetry/metrics/family.ts'

export type RequestLogChoice = {
  readonly place: RequestPlace
  /** 0: no requests are kept. */
  readonly days: number
  readonly maxBytes: number
  readonly log: Logger
}

/** The request log, and the counts of the last minute, as the rest of the server meets them. */
export type OpenedRequestLog = {
  /** Comes before all that may keep a call waiting. */
  readonly policy: Policy
  readonly listener: EndListener
  readonly onRefused: RecordListener
  readonly parts: RequestsParts
  /** undefined where no requests are kept. */
  state(): RequestLogState | undefined
  listWarnings(): readonly string[]
  families(): readonly Family[]
  /** Ends answers that would go on for ever, before the others are waited for. */
  endStreams(): void
  close(): Promise<void>
}

const dayMs = 86_400_000
const sweepEveryMs = 60_000
/** Others have their turn at the store between two pieces of what is deleted. */
const sweepPauseMs = 100

export function openRequestLog({ place, days, maxBytes, log }: RequestLogChoice): OpenedRequestLog {
  const store = startRequestStore(place)
  const live = createLiveCounts(Date.now)
  const kept =
    days === 0 ? undefined : createRequestLog({ store, now: Date.now, onProblem: (message) => log.warn({}, message) })
  const stopping = new AbortController()

  /** A store that is away has nothing deleted; the next time does. */
  async function sweep(): Promise<void> {
    try {
      for (let hasMore = true; hasMore && !stopping.signal.aborted; await pause(sweepPauseMs)) {
        const now = Date.now()
        hasMore = await store.sweep({ before: now - days * dayMs, maxBytes, now })
      }
    } catch (error) {
      log.debug({ err: error }, 'old requests could not be deleted')
    }
  }
  let sweeping: Promise<void> | undefined
  const timer = setInterval(() => {
    sweeping ??= sweep().finally(() => {
      sweeping = undefined
    })
  }, sweepEveryMs)
  timer.unref()
  if (!kept) clearInterval(timer)

  const note: RecordListener = (record) => {
    live.listener(record)
    kept?.listener(record)
  }
  return {
    policy(exchange, next) {
      exchange.holds.push(live.hold(exchange))
      return next(exchange)
    },
    listener: ({ record }) => note(record),
    onRefused: note,
    parts: { log: kept, store, live, stopping: stopping.signal },
    state: () => kept?.state(),
    listWarnings: () => (kept ? describeTrouble(kept.state()) : []),
    families: () => (kept ? requestLogFamilies(kept.state()) : []),
    endStreams: () => stopping.abort(),
    async close() {
      clearInterval(timer)
      stopping.abort()
      await sweeping
      await kept?.close()
      await store.close()
    },
  }
}

function describeTrouble({ problem, waiting, lost }: RequestLogState): string[] {
  const warnings: string[] = []
  if (problem !== undefined) {
    warnings.push(`The request log cannot be written; requests go on, and ${waiting} records wait: ${problem}`)
  }
  if (lost > 0) warnings.push(`The request log has lost ${lost} records since the start: they could not be written.`)
  return warnings
}

export function requestLogFamilies(state: RequestLogState): Family[] {
  const { written, waiting, lost, lostContents, leftOut, problem } = state
  const count = (outcome: string, value: number) => ({ labels: [outcome], value })
  return [
    {
      name: 'ponto.request_log.records',
      help: 'Records of requests that were written, were lost since they could not be, or were left out since strangers came too fast; and captured texts that were lost.',
      kind: 'counter',
      unit: '{record}',
      labels: ['outcome'],
      samples: [
        count('written', written),
        count('lost', lost),
        count('lost_content', lostContents),
        count('left_out', leftOut),
      ],
    },
    {
      name: 'ponto.request_log.waiting',
      help: 'Records of requests that are not written yet.',
      kind: 'gauge',
      unit: '{record}',
      labels: [],
      samples: [{ labels: [], value: waiting }],
    },
    {
      name: 'ponto.request_log.failing',
      help: '1 while the request log cannot be written.',
      kind: 'gauge',
      unit: '{record}',
      labels: [],
      samples: [{ labels: [], value: problem === undefined ? 0 : 1 }],
    },
  ]
}
