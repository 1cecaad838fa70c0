import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import type { RecordListener, RequestRecord } from '../../core/usage/request-record.ts'
import type { RequestContent, RequestDocument, RequestStore } from '../../port/requests/port.ts'
import { writeContent } from './content.ts'
import { createGatherer } from './gather.ts'
import { createOutbox, type Parcel, type Said } from './outbox.ts'

export type RequestLogOptions = {
  readonly store: Pick<RequestStore, 'append'>
  /** Unix milliseconds. */
  readonly now: () => number
  /** What a crash may lose. */
  readonly flushEveryMs?: number
  /** Records, and bytes of them, that are held while they cannot be written. */
  readonly maxHeld?: number
  readonly maxHeldBytes?: number
  /** Told when nothing can be written and when records are lost, each once until it is over, and that it is over. */
  readonly onProblem: (message: string) => void
}

/** How the log is doing, for status and metrics. */
export type RequestLogState = {
  readonly written: number
  /** Not written yet. */
  readonly waiting: number
  /** They came faster than they could be written, or for so long that there was no more room. */
  readonly lost: number
  /** Captured prompts and answers among what was lost. */
  readonly lostContents: number
  /** Requests of strangers that came too fast to be worth keeping. */
  readonly leftOut: number
  /** Why nothing is written at the moment. */
  readonly problem: string | undefined
}

export type RequestLog = {
  readonly listener: RecordListener
  state(): RequestLogState
  /** Writes what waits. Never rejects: what could not be written waits on. */
  flush(): Promise<void>
  /** Tells of every request that ends from now on. The result ends it. */
  follow(onDocument: (document: RequestDocument) => void): () => void
  /** Writes what is left; waits a little for a store that is away. */
  close(): Promise<void>
}

/** Records that are made into lines in one turn: while they are young, and requests have their turn in between. */
const recordsAtOnce = 64
/** Lines of one transaction. */
const maxBatch = 1_024
const longestPauseMs = 30_000
/** Who watches shall see it soon. */
const followedMs = 200
/** Requests of nobody known that are kept in a second: strangers must not drive out what is worth keeping. */
const strangersPerSecond = 50
const lastTries = 5
const lastPauseMs = 200

/**
 * Keeps what requests leave behind, in batches and beside them: a request pays for a push. What waits is bounded; where there is no more room
 * the oldest are lost, and counted.
 */
export function createRequestLog(options: RequestLogOptions): RequestLog {
  const { store, now, flushEveryMs = 1_000, maxHeld = 30_000, maxHeldBytes = 32 * 1024 * 1024, onProblem } = options
  const followers = new Set<(document: RequestDocument) => void>()
  const outbox = createOutbox(maxHeld, maxHeldBytes)
  const gatherer = createGatherer()
  let fresh: RequestRecord[] = []
  let written = 0
  let leftOut = 0
  let lastMicros = 0
  let second = { number: 0, strangers: 0 }
  let problem: string | undefined
  let lostBefore = 0
  let pauseMs = flushEveryMs
  let nextTryMs = 0
  let timer: NodeJS.Timeout | undefined
  let isSoon = false
  let running: Promise<void> | undefined
  let isClosed = false

  const listener: RecordListener = (record) => {
    if (isClosed || (record.callerKind === 'none' && isOneTooMany(record))) return
    fresh.push(record)
    if (fresh.length >= recordsAtOnce && !isSoon) {
      isSoon = true
      setImmediate(onMany)
    }
    if (!timer) schedule()
  }

  function isOneTooMany({ startedAt }: RequestRecord): boolean {
    const number = Math.floor(startedAt / 1000)
    if (number !== second.number) second = { number, strangers: 0 }
    if (++second.strangers <= strangersPerSecond) return false
    leftOut++
    return true
  }

  function schedule(): void {
    if (isClosed || timer) return
    timer = setTimeout(
      () => {
        timer = undefined
        void run(false)
      },
      followers.size > 0 ? followedMs : flushEveryMs,
    )
    timer.unref()
  }

  /** One at a time. `isUrgent`: also while the store is left alone after it has failed. */
  function run(isUrgent: boolean): Promise<void> {
    running ??= work(isUrgent).finally(() => {
      running = undefined
      if (fresh.length > 0 || outbox.size > 0) schedule()
    })
    return running
  }

  async function work(isUrgent: boolean): Promise<void> {
    prepare()
    if (isUrgent || performance.now() >= nextTryMs) await write()
    tellLoss()
  }

  /** Makes records what is written, and tells those who follow. */
  function prepare(): void {
    isSoon = false
    const records = fresh
    fresh = []
    let said: Said[] = []
    let count = 0
    for (const record of records) {
      try {
        gatherer.add(record, stamp(record))
        if (record.captured) said.push({ id: record.id, what: record.captured })
        if (followers.size > 0) tellFollowers(gatherer.last())
      } catch (error) {
        // Whatever is wrong with one record is no reason for anything else to end.
        onProblem(`the record of request ${record.id} cannot be kept: ${String(error)}`)
      }
      if (++count % recordsAtOnce === 0) {
        handOver(said)
        said = []
      }
    }
    handOver(said)
  }

  /** In lots of a size, so that what is lost when there is no room is little at a time. */
  function handOver(said: readonly Said[]): void {
    const lines = gatherer.close()
    if (lines) outbox.push(lines, said)
  }

  function tellFollowers(line: string): void {
    const document = JSON.parse(line) as RequestDocument
    for (const tell of followers) tell(document)
  }

  function onMany(): void {
    prepare()
    if (outbox.size >= maxBatch && !running && performance.now() >= nextTryMs) void run(false)
  }

  /** When it had ended; no two have the same. */
  function stamp({ startedAt, totalMs }: RequestRecord): number {
    lastMicros = Math.max(Math.round((startedAt + totalMs) * 1000), lastMicros + 1)
    return lastMicros / 1000
  }

  async function write(): Promise<void> {
    while (outbox.size > 0) {
      const batch = outbox.take(maxBatch)
      try {
        const contents = await writeContents(batch)
        await store.append(
          batch.map(({ lines }) => lines),
          contents,
        )
      } catch (error) {
        outbox.settle(false)
        return noteFailure(error)
      }
      outbox.settle(true)
      for (const { lines } of batch) written += lines.count
      if (problem !== undefined) onProblem('the request log is written again')
      problem = undefined
      pauseMs = flushEveryMs
      nextTryMs = 0
    }
  }

  async function writeContents(batch: readonly Parcel[]): Promise<RequestContent[]> {
    const contents: RequestContent[] = []
    for (const one of batch.flatMap(({ said }) => said)) {
      if ('hasPrompt' in one.what) {
        one.what = await writeContent(one.id, one.what, now())
        // What was said is long, and may have been read for personal data.
        await turn()
      }
      contents.push(one.what)
    }
    return contents
  }

  function noteFailure(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    if (problem === undefined) onProblem(`the request log cannot be written; requests go on without it: ${message}`)
    problem = message
    nextTryMs = performance.now() + pauseMs
    pauseMs = Math.min(longestPauseMs, pauseMs * 2)
  }

  function tellLoss(): void {
    const { lost } = outbox
    if (lost > lostBefore && lostBefore === 0) {
      onProblem(
        'records of requests are lost: more of them wait to be written than there is room for (ponto status counts them)',
      )
    }
    lostBefore = lost
  }

  return {
    listener,
    state: () => ({
      written,
      waiting: fresh.length + outbox.size,
      lost: outbox.lost,
      lostContents: outbox.lostContents,
      leftOut,
      problem,
    }),
    async flush() {
      await running
      await run(true)
    },
    follow(onDocument) {
      followers.add(onDocument)
      return () => void followers.delete(onDocument)
    },
    async close() {
      isClosed = true
      clearTimeout(timer)
      await running
      await run(true)
      for (let tries = 1; outbox.size > 0 && tries < lastTries; tries++) {
        await pause(lastPauseMs)
        await run(true)
      }
      if (outbox.size > 0) onProblem(`${outbox.size} records of requests could not be written and are lost`)
    },
  }
}
