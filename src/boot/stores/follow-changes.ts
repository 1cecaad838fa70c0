import type { Tables } from '../../port/tables/port.ts'
import type { Logger } from '../../telemetry/logger.ts'

export type FollowOptions = {
  readonly tables: Pick<Tables, 'subscribe'>
  /** Reads again all that other servers may have written. */
  reload(): Promise<void>
  readonly log: Logger
}

const retryMs = 2_000

/**
 * Keeps what this server has in memory as other servers write it. Changes that come while one is read are read together after that. The
 * function returned ends it.
 */
export function followChanges({ tables, reload, log }: FollowOptions): () => void {
  let isReading = false
  let isChanged = false
  let isClosed = false
  let retryTimer: NodeJS.Timeout | undefined

  async function read(): Promise<void> {
    clearTimeout(retryTimer)
    isChanged = true
    if (isReading) return
    isReading = true
    try {
      while (isChanged && !isClosed) {
        isChanged = false
        await reload()
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (!isClosed) {
        log.warn({ reason }, 'what other servers changed could not be read and is tried again')
        retryTimer = setTimeout(() => void read(), retryMs)
      }
    } finally {
      isReading = false
    }
  }

  const unsubscribe = tables.subscribe(() => void read())
  return () => {
    isClosed = true
    clearTimeout(retryTimer)
    unsubscribe()
  }
}
