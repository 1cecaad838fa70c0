import { Fault, toFault } from '../../core/fault.ts'

/** Runs something later; the result calls it off. */
export type StartTimer = (run: () => void, afterMs: number) => () => void

export const startRealTimer: StartTimer = (run, afterMs) => {
  const timer = setTimeout(run, afterMs)
  return () => clearTimeout(timer)
}

export type WaitQueueOptions<R> = {
  /** Whether what refused is what the queue waits for. Any other refusal ends the waiting of the one it met. */
  isAwaited(refusal: R): boolean
  readonly maxWaiting: number
  readonly maxWaitMs: number
  readonly now: () => number
  readonly startTimer: StartTimer
}

/** undefined once it was taken, the refusal that something else gave, or `full` when time or room ran out. */
export type Waited<R> = R | undefined | 'full'

export type WaitQueue<R> = {
  isEmpty(): boolean
  /**
   * Waits until `take` succeeds, those of lower `rank` first and otherwise in order. Where there is no room, the last of higher rank
   * makes some. Rejects with Fault `client-gone` when the caller leaves.
   */
  join(take: Take<R>, rank: number, signal: AbortSignal): Promise<Waited<R>>
  /** Something may have come free. */
  wake(): void
}

type Take<R> = () => R | undefined | Promise<R | undefined>

type Waiter<R> = {
  readonly take: Take<R>
  readonly rank: number
  readonly deadline: number
  readonly signal: AbortSignal
  /** Being decided upon: nobody ends the waiting meanwhile, lest something be taken for a caller who was told otherwise. */
  isTried: boolean
  readonly leave: (waited: Waited<R> | Fault) => void
}

/** What others give back in other threads and replicas is noticed this much later. */
const pollMs = 100

/** A short queue in front of something of which there is only so much at once. */
export function createWaitQueue<R>({
  isAwaited,
  maxWaiting,
  maxWaitMs,
  now,
  startTimer,
}: WaitQueueOptions<R>): WaitQueue<R> {
  const waiters: Waiter<R>[] = []
  let isServing = false
  let isWoken = false
  let stopTimer: (() => void) | undefined

  function join(take: Take<R>, rank: number, signal: AbortSignal): Promise<Waited<R>> {
    if (signal.aborted) return Promise.reject(gone())
    const last = waiters.at(-1)
    if (last && waiters.length >= maxWaiting) {
      if (last.rank <= rank || last.isTried) return Promise.resolve('full')
      last.leave('full')
    }
    const { promise, resolve, reject } = Promise.withResolvers<Waited<R>>()
    const onAbort = () => {
      if (!waiter.isTried) waiter.leave(gone())
    }
    const waiter: Waiter<R> = {
      take,
      rank,
      deadline: now() + maxWaitMs,
      signal,
      isTried: false,
      leave(waited) {
        waiters.splice(waiters.indexOf(waiter), 1)
        signal.removeEventListener('abort', onAbort)
        if (waited instanceof Fault) reject(waited)
        else resolve(waited)
      },
    }
    signal.addEventListener('abort', onAbort)
    const after = waiters.findIndex((other) => other.rank > rank)
    waiters.splice(after === -1 ? waiters.length : after, 0, waiter)
    wake()
    return promise
  }

  function wake(): void {
    isWoken = true
    if (!isServing) void serve()
  }

  /** Lets in as many as fit. */
  async function serve(): Promise<void> {
    isServing = true
    while (isWoken) {
      isWoken = false
      for (let first = waiters[0]; first; first = waiters[0]) if (await isStuckAt(first)) break
    }
    isServing = false
    watch()
  }

  async function isStuckAt(waiter: Waiter<R>): Promise<boolean> {
    waiter.isTried = true
    let refusal: R | undefined
    try {
      refusal = await waiter.take()
    } catch (error) {
      waiter.leave(toFault(error))
      return false
    }
    waiter.isTried = false
    const isGone = waiter.signal.aborted
    if (refusal !== undefined && isAwaited(refusal) && !isGone) return true
    waiter.leave(isGone ? gone() : refusal)
    return false
  }

  function watch(): void {
    stopTimer?.()
    stopTimer = undefined
    let untilMs = pollMs
    const at = now()
    for (const waiter of waiters) untilMs = Math.min(untilMs, Math.max(0, waiter.deadline - at))
    if (waiters.length > 0) stopTimer = startTimer(onTime, untilMs)
  }

  function onTime(): void {
    stopTimer = undefined
    const at = now()
    for (const waiter of waiters.filter(({ deadline }) => deadline <= at)) if (!waiter.isTried) waiter.leave('full')
    wake()
  }

  return { isEmpty: () => waiters.length === 0, join, wake }
}

function gone(): Fault {
  return new Fault('client-gone', 'The caller left while waiting for a free slot of the deployment.')
}
