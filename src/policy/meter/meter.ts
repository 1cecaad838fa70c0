import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import type { EndListener } from '../../core/exchange.ts'
import { ownResource, qualify } from '../../core/resource.ts'
import type { UsageRow, UsageTable } from '../../port/tables/usage/port.ts'
import type { Policy } from '../pipeline.ts'
import { type Budgets, hourMs, openBudgets } from './budgets.ts'
import { consumptionOf, costOf, createRounding, wasRefused } from './cost.ts'
import { createLedger, otherKeys } from './ledger.ts'

export type MeterOptions = {
  readonly table: UsageTable
  /** Unix milliseconds. */
  readonly now: () => number
  /** What a crash may lose. */
  readonly flushEveryMs?: number
  /** Rows held while they cannot be stored. */
  readonly maxRows?: number
  /** Told when storing fails and when there is no more room for rows, each once until it is over; and what is lost at the end. */
  readonly onProblem: (error: unknown) => void
}

export type Meter = {
  /** Keeps calls within the budgets of their key. */
  readonly policy: Policy
  readonly listener: EndListener
  readonly budgets: Budgets
  /** What is counted and not stored yet. */
  pending(): readonly UsageRow[]
  flush(): Promise<void>
  /** Stores what is left. */
  close(): Promise<void>
}

const longestPauseMs = 30_000
/** At the end a store that is away for a moment is waited for, one that stays away is not. */
const lastTries = 5
const lastPauseMs = 200
/** Rows of one transaction. What has gathered while a store was away goes in several, and requests have their turn between them. */
const maxBatch = 500

/** Counts what calls use, by hour, deployment, model and key, and stores it in batches; nothing of that is in a request's way. */
export async function openMeter(options: MeterOptions): Promise<Meter> {
  const { table, now, flushEveryMs = 1_000, maxRows = 10_000, onProblem } = options
  const budgets = await openBudgets(table, now)
  const ledger = createLedger(maxRows)
  const roundCost = createRounding()
  let sending: readonly UsageRow[] = []
  let running: Promise<void> | undefined
  let hasProblem = false
  let foldedBefore = 0
  let isFoldingTold = false
  let pauseMs = flushEveryMs
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  function schedule(): void {
    if (isClosed || timer) return
    timer = setTimeout(() => {
      timer = undefined
      void flush()
    }, pauseMs)
    timer.unref()
  }

  /** One at a time: rows that are on their way must not be sent again beside themselves. */
  function flush(): Promise<void> {
    running ??= store().finally(() => {
      running = undefined
      if (ledger.size > 0) schedule()
    })
    return running
  }

  async function store(): Promise<void> {
    tellFolding()
    sending = ledger.take()
    try {
      while (sending.length > 0) {
        await table.add(sending.slice(0, maxBatch))
        sending = sending.slice(maxBatch)
        if (sending.length > 0) await turn()
      }
      hasProblem = false
      pauseMs = flushEveryMs
    } catch (error) {
      ledger.putBack(sending)
      pauseMs = Math.min(longestPauseMs, pauseMs * 2)
      if (!hasProblem) onProblem(error)
      hasProblem = true
    } finally {
      sending = []
    }
  }

  function tellFolding(): void {
    const isFolding = ledger.folded > foldedBefore
    foldedBefore = ledger.folded
    if (isFolding && !isFoldingTold) {
      onProblem(new Error(`more than ${maxRows} rows wait to be stored; further keys are counted as '${otherKeys}'`))
    }
    if (isFolding || !hasProblem) isFoldingTold = isFolding
  }

  const listener: EndListener = (exchange, outcome, fault) => {
    const { deployment, caller } = exchange
    const used = consumptionOf(exchange, outcome)
    const isRefused = fault !== undefined && wasRefused(exchange, fault)
    const isAnswered = !isRefused && (outcome === 'done' || used.promptTokens + used.completionTokens > 0)
    const costMicros = isAnswered ? roundCost(deployment.price, costOf(deployment.price, used)) : 0
    const counts = ledger.open({
      hour: Math.floor(now() / hourMs),
      resource: deployment.resource ?? ownResource,
      deployment: deployment.name,
      model: deployment.model.name,
      keyName: caller.keyName,
    })
    counts.requests++
    if (isRefused) counts.refused++
    else if (outcome === 'failed') counts.failed++
    if (used.isEstimated) counts.estimated++
    counts.promptTokens += used.promptTokens
    counts.cachedTokens += used.cachedTokens
    counts.completionTokens += used.completionTokens
    counts.reasoningTokens += used.reasoningTokens
    counts.costMicros += costMicros
    budgets.note(qualify(caller.resource, caller.keyName), used.promptTokens + used.completionTokens, costMicros)
    schedule()
  }

  return {
    listener,
    budgets,
    policy: (exchange, next) => {
      budgets.admit(exchange)
      return next(exchange)
    },
    pending: () => [...sending, ...ledger.rows()],
    flush,
    async close() {
      isClosed = true
      clearTimeout(timer)
      await running
      await flush()
      for (let tries = 1; ledger.size > 0 && tries < lastTries; tries++) {
        await pause(lastPauseMs)
        await flush()
      }
      const lost = ledger.rows().reduce((sum, { requests }) => sum + requests, 0)
      if (lost > 0) onProblem(new Error(`the usage of ${lost} calls could not be stored and is lost`))
    },
  }
}
