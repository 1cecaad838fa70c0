import type { RequestLog } from '../../../policy/request-log/request-log.ts'
import type { RequestDocument } from '../../../port/requests/port.ts'

/** What a reader that is too slow may have before it; then the oldest go, and it is told how many. */
const maxWaiting = 1_000
/** Within the time after which a connection on which nothing moves is cut off. */
const keepAliveMs = 10_000

/** Requests as they end, as an event stream: `{...}` for each, and `{"dropped": 3}` where the reader was too slow for so many. Ends with the signal. */
export async function* streamRequests(
  follow: RequestLog['follow'],
  isWanted: (document: RequestDocument) => boolean,
  signal: AbortSignal,
): AsyncGenerator<string, undefined> {
  let waiting: RequestDocument[] = []
  let dropped = 0
  let wake = (): void => {}
  const unfollow = follow((document) => {
    if (!isWanted(document)) return
    waiting.push(document)
    if (waiting.length > 2 * maxWaiting) dropped += waiting.splice(0, waiting.length - maxWaiting).length
    wake()
  })
  const onAbort = (): void => wake()
  signal.addEventListener('abort', onAbort)
  try {
    // The head of the answer goes out with its first piece.
    yield ': requests as they end\n\n'
    while (!signal.aborted) {
      if (waiting.length === 0) {
        const isIdle = await new Promise<boolean>((resolve) => {
          const timer = setTimeout(() => resolve(true), keepAliveMs)
          wake = () => {
            clearTimeout(timer)
            resolve(false)
          }
        })
        if (isIdle) yield ': still here\n\n'
        continue
      }
      const documents = waiting
      waiting = []
      const lost = dropped
      dropped = 0
      const events: object[] = lost > 0 ? [{ dropped: lost }, ...documents] : documents
      yield events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
    }
  } finally {
    unfollow()
    signal.removeEventListener('abort', onAbort)
  }
}
