/** What a stream that can be written to tells of itself. */
type Writable = {
  once(event: string, listener: () => void): unknown
  off(event: string, listener: () => void): unknown
}

/** Resolves when the stream takes more, or nothing any more; also at one of `others`. */
export function drained(stream: Writable, ...others: readonly string[]): Promise<void> {
  const events = ['drain', 'close', 'error', ...others]
  return new Promise((settle) => {
    const done = (): void => {
      for (const event of events) stream.off(event, done)
      settle()
    }
    for (const event of events) stream.once(event, done)
  })
}
