import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '../../../core/fault.ts'
import type { CommandContext } from '../../context.ts'
import { openStatusLine } from '../../terminal/status-line.ts'
import { createRate, formatCount, formatSpan, type Rate } from '../../terminal/units.ts'
import { openDataClient } from '../data-client.ts'
import { type BatchItem, hasEnded } from './batch-item.ts'

/** A server that is started again is back within this. */
const patienceMs = 2 * 60_000
const retryMs = 1_000
const interruptedCode = 130
const barWidth = 24

/**
 * Waits for the end of a batch and shows on standard error how far it is. A server that goes away is waited for. undefined when the user has
 * seen enough (Ctrl-C): he was told how to go on, and the batch goes on by itself.
 */
export async function waitForBatch(context: CommandContext, id: string): Promise<BatchItem | undefined> {
  const interrupted = new AbortController()
  const interrupt = (): void => interrupted.abort()
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.on(signal, interrupt)
  const line = openStatusLine(context)
  const show = createBatchProgress(context, line.show)
  let heardAt = performance.now()
  try {
    while (!interrupted.signal.aborted) {
      try {
        for await (const event of (await openDataClient(context)).listen(pathOf(id), interrupted.signal)) {
          heardAt = performance.now()
          const batch = event as unknown as BatchItem
          if (hasEnded(batch)) return batch
          show(batch)
        }
      } catch (error) {
        if (interrupted.signal.aborted) break
        if (!isAway(error) || performance.now() - heardAt > patienceMs) throw error
      }
      await sleep(retryMs, undefined, { signal: interrupted.signal }).catch(() => {})
    }
    line.end()
    context.stderr.write(`The batch goes on. Wait for it again with: ponto batch show ${id} --wait\n`)
    context.exitWith(interruptedCode)
    return undefined
  } finally {
    line.end()
    for (const signal of signals) process.off(signal, interrupt)
  }
}

const pathOf = (id: string): string => `batches/${encodeURIComponent(id)}/events`

/** Whether it may be back later: no connection, or a server that cannot answer now. What it refuses, it refuses again. */
function isAway(error: unknown): boolean {
  if (!(error instanceof Fault)) return false
  const { status } = error.detail
  return status === undefined ? error.code !== 'forbidden' : status >= 500 || status === 429
}

/** Shows a batch: a bar at a terminal, elsewhere a line for each tenth and each change of status. */
export function createBatchProgress(
  { stderr }: Pick<CommandContext, 'stderr'>,
  show: (text: string, isStep: boolean) => void,
  now: () => number = performance.now.bind(performance),
): (batch: BatchItem) => void {
  const rate = createRate(now)
  let status = ''
  let tenths = 0
  return (batch) => {
    const { total, completed, failed } = batch.request_counts
    const done = completed + failed
    const reached = total > 0 ? Math.floor((10 * done) / total) : 0
    const isStep = batch.status !== status || reached > tenths
    status = batch.status
    tenths = reached
    if (status !== 'in_progress' || total === 0) return show(sayStatus(batch), isStep)
    rate.note(done)
    const text = describeProgress({ total, done, failed }, rate)
    show(stderr.isTTY ? `${drawBar(done / total)} ${text}` : text, isStep)
  }
}

function sayStatus({ status, request_counts: { total } }: BatchItem): string {
  switch (status) {
    case 'validating':
      return total > 0 ? `Validating: ${formatCount(total)} lines so far` : 'Validating'
    case 'finalizing':
      return 'Writing the results'
    case 'cancelling':
      return 'Cancelling'
    default:
      return status
  }
}

type Counts = { readonly total: number; readonly done: number; readonly failed: number }

function describeProgress({ total, done, failed }: Counts, rate: Rate): string {
  const perSecond = rate.perSecond()
  const parts = [`${formatCount(done)} of ${formatCount(total)} lines`]
  if (failed > 0) parts.push(`${formatCount(failed)} failed`)
  if (perSecond) {
    parts.push(`${perSecond < 10 ? perSecond.toFixed(1) : formatCount(Math.round(perSecond))}/s`)
    parts.push(`${formatSpan((1000 * (total - done)) / perSecond)} left`)
  }
  return parts.join(', ')
}

function drawBar(share: number): string {
  const full = Math.floor(barWidth * Math.min(1, share))
  return `[${'#'.repeat(full)}${'-'.repeat(barWidth - full)}]`
}
