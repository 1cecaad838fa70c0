import { Fault } from '../../core/fault.ts'
import { Connection, type ConnectionOwner } from './connection.ts'
import { Deadlines } from './deadlines.ts'
import { type DialPlan, dial } from './dial/dial.ts'
import type { Holder, PendingRequest } from './pending-request.ts'
import type { Timeouts } from './transport.ts'

export type PoolOptions = {
  readonly plan: DialPlan
  readonly timeouts: Timeouts
  /** Connections at one time, idle ones included. */
  readonly maxConnections: number
  /** Requests that may wait for one of them. */
  readonly maxQueued: number
  /** How long a connection without a request is kept. */
  readonly maxIdleMs: number
}

/**
 * The connections to one origin. The one that was free last is used first, so that a burst's surplus grows old and closes.
 * When all are busy, requests wait in turn, each for at most `connectMs`.
 */
export class Pool implements ConnectionOwner, Holder {
  readonly peer: string
  readonly timeouts: Timeouts
  readonly maxIdleMs: number
  readonly deadlines = new Deadlines()
  readonly #options: PoolOptions
  readonly #idle: Connection[] = []
  readonly #queue = new Set<PendingRequest>()
  /** Connections that are open or being opened. */
  #openCount = 0
  #isClosed = false

  constructor(options: PoolOptions) {
    this.#options = options
    this.peer = options.plan.peer
    this.timeouts = options.timeouts
    this.maxIdleMs = options.maxIdleMs
  }

  submit(pending: PendingRequest): void {
    pending.holder = this
    const hasRoom = this.#openCount < this.#options.maxConnections
    // The peer may have dropped an idle connection, and what comes in pieces cannot be sent again.
    const connection = pending.pieces && hasRoom ? undefined : this.#idle.pop()
    if (connection) connection.send(pending)
    else if (hasRoom) this.#dial(pending)
    else this.#enqueue(pending)
  }

  /** Closes what is idle, and from now on every connection after its request: those that still hold the old configuration finish. */
  close(): void {
    this.#isClosed = true
    for (const connection of this.#idle.splice(0)) connection.close()
  }

  // As the owner of connections

  takeFree(connection: Connection): void {
    const next = this.#shiftQueue()
    if (next) {
      connection.send(next)
    } else if (this.#isClosed) {
      connection.close()
    } else {
      connection.rest()
      this.#idle.push(connection)
    }
  }

  takeClosed(connection: Connection): void {
    const index = this.#idle.lastIndexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
    this.#freePlace()
  }

  takeUnsent(pending: PendingRequest): void {
    pending.holder = this
    // Not on an idle one or one that comes free: they are as old, and a restarted peer has dropped them all.
    this.#dial(pending)
  }

  // As the holder of requests that have no connection yet

  drop(pending: PendingRequest, fault: Fault): void {
    this.deadlines.remove(pending)
    this.#queue.delete(pending)
    const { dialing } = pending
    pending.fail(fault)
    dialing?.abort(fault)
  }

  explainLate(pending: PendingRequest): Fault {
    if (pending.deadlineMs >= pending.totalAtMs) {
      return new Fault('upstream-timeout', `no connection to ${this.peer} within ${this.timeouts.totalMs} ms (totalMs)`)
    }
    if (!pending.isQueued) {
      return new Fault(
        'upstream-timeout',
        `no connection to ${this.peer} within ${this.timeouts.connectMs} ms (connectMs)`,
      )
    }
    const { maxConnections } = this.#options
    return new Fault(
      'upstream-busy',
      `all ${maxConnections} connections to ${this.peer} are busy and none came free within ${this.timeouts.connectMs} ms`,
    )
  }

  #enqueue(pending: PendingRequest): void {
    if (this.#queue.size >= this.#options.maxQueued) {
      const { maxConnections, maxQueued } = this.#options
      pending.fail(
        new Fault(
          'upstream-busy',
          `all ${maxConnections} connections to ${this.peer} are busy and ${maxQueued} requests wait already`,
        ),
      )
      return
    }
    pending.isQueued = true
    this.#queue.add(pending)
    this.#watch(pending)
  }

  #shiftQueue(): PendingRequest | undefined {
    const [next] = this.#queue
    if (!next) return undefined
    this.#queue.delete(next)
    this.deadlines.remove(next)
    next.isQueued = false
    return next
  }

  #freePlace(): void {
    this.#openCount--
    if (this.#openCount >= this.#options.maxConnections) return
    const next = this.#shiftQueue()
    if (next) this.#dial(next)
  }

  async #dial(pending: PendingRequest): Promise<void> {
    const dialing = new AbortController()
    this.#openCount++
    pending.dialing = dialing
    this.#watch(pending)
    try {
      const socket = await dial(this.#options.plan, dialing.signal)
      const connection = new Connection(socket, this)
      // Given up in the meantime, too late to stop the connecting: another may want it.
      if (dialing.signal.aborted) this.takeFree(connection)
      else connection.send(pending)
    } catch (error) {
      if (!dialing.signal.aborted) pending.fail(error as Fault)
      this.#freePlace()
    } finally {
      this.deadlines.remove(pending)
      pending.dialing = undefined
    }
  }

  #watch(pending: PendingRequest): void {
    pending.deadlineMs = Math.min(performance.now() + this.timeouts.connectMs, pending.totalAtMs)
    this.deadlines.add(pending)
  }
}
