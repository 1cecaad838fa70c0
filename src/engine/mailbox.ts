/** A queue between a producer that does not wait and one reader. Items put before the end are read before it. */
export type Mailbox<T> = {
  put(item: T): void
  close(): void
  fail(error: unknown): void
  /** May be read once. Leaving the loop early, or never entering it but calling `return`, calls `onLeave`. */
  readonly items: AsyncIterableIterator<T>
}

export function createMailbox<T>(onLeave: () => void): Mailbox<T> {
  const items: T[] = []
  let end: { readonly error?: unknown } | undefined
  let wake: (() => void) | undefined
  const finish = (how: { readonly error?: unknown }): void => {
    end ??= how
    wake?.()
  }
  const next = async (): Promise<IteratorResult<T>> => {
    while (items.length === 0 && !end) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    if (items.length > 0) return { value: items.shift() as T, done: false }
    if (end?.error !== undefined) throw end.error
    return { value: undefined, done: true }
  }
  return {
    put(item) {
      if (end) return
      items.push(item)
      wake?.()
    },
    close: () => finish({}),
    fail: (error) => finish({ error }),
    items: {
      next,
      async return() {
        items.length = 0
        finish({})
        onLeave()
        return { value: undefined, done: true }
      },
      [Symbol.asyncIterator]() {
        return this
      },
    },
  }
}
