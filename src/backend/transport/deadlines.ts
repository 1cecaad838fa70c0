/** Something that must have moved on by a moment of `performance.now()`; it may change the moment at any time. */
export type Watched = {
  deadlineMs: number
  /** Called once the moment has passed. Removes itself or sets a later moment. */
  expire(): void
}

const graceMs = 10

/**
 * One timer for many deadlines that move with every byte: moving one is an assignment, and only one that comes to lie before
 * the armed moment touches the timer. A deadline is never early and at most a few tens of milliseconds late.
 */
export class Deadlines {
  readonly #watched = new Set<Watched>()
  #armedForMs = Number.POSITIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  add(item: Watched): void {
    this.#watched.add(item)
    this.note(item.deadlineMs)
  }

  remove(item: Watched): void {
    this.#watched.delete(item)
  }

  /** A watched deadline now lies at `deadlineMs`. */
  note(deadlineMs: number): void {
    if (deadlineMs >= this.#armedForMs) return
    clearTimeout(this.#timer)
    this.#armedForMs = deadlineMs
    this.#timer = setTimeout(this.#sweep, Math.max(0, deadlineMs - performance.now()) + graceMs)
    // The sockets keep the process alive, not the clock over them.
    this.#timer.unref()
  }

  readonly #sweep = (): void => {
    this.#armedForMs = Number.POSITIVE_INFINITY
    const nowMs = performance.now()
    for (const item of this.#watched) if (item.deadlineMs <= nowMs) item.expire()
    let nextMs = Number.POSITIVE_INFINITY
    for (const item of this.#watched) nextMs = Math.min(nextMs, item.deadlineMs)
    this.note(nextMs)
  }
}
