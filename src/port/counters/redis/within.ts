export const late = Symbol('late')

/**
 * The outcome of a promise, or `late` when it has none after `ms` milliseconds. An answer that lies in the socket while the thread was
 * busy is not late: it gets two turns of the loop to be read.
 */
export function within<T>(promise: Promise<T>, ms: number): Promise<T | typeof late> {
  return new Promise((done, fail) => {
    const timer = setTimeout(() => setImmediate(() => setImmediate(() => done(late))), Math.max(0, ms))
    promise.then(
      (value) => {
        clearTimeout(timer)
        done(value)
      },
      (error) => {
        clearTimeout(timer)
        fail(error)
      },
    )
  })
}
