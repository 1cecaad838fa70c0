import { Worker } from 'node:worker_threads'
import { type SqliteSession, sqliteErrorName } from './session.ts'
import type { ThreadCall, ThreadReply } from './thread-protocol.ts'

type Waiting = { resolve(value: unknown): void; reject(error: Error): void }

/**
 * A session on a thread of its own: while SQLite waits for the disk or for a lock, this thread goes on. A statement costs a round trip
 * more, some 15 us.
 */
export function startSqliteThread(): SqliteSession {
  const worker = new Worker(new URL('./sqlite-thread.ts', import.meta.url), { name: 'sqlite' })
  const waiting: Waiting[] = []
  let isEnding = false
  let gone: Error | undefined

  worker.on('message', (reply: ThreadReply) => {
    const asked = waiting.shift()
    if ('error' in reply) asked?.reject(restoreError(reply.error))
    else asked?.resolve(reply.answer)
  })
  const exited = new Promise<void>((done) => {
    worker.on('error', lose)
    worker.on('exit', () => {
      if (!isEnding) lose(new Error('it ended by itself'))
      done()
    })
  })

  /**
   * The thread catches what statements throw, so this is something else, such as memory that ran out. A server cannot do without its
   * database: as on this thread, the error ends the process, and whoever started it starts it again.
   */
  function lose(cause: Error): void {
    if (gone) return
    gone = new Error(`The thread of the database failed: ${cause.message}`, { cause })
    for (const { reject } of waiting.splice(0)) reject(gone)
    throw gone
  }

  function ask<T>(...call: ThreadCall): Promise<T> {
    if (gone || isEnding) return Promise.reject(gone ?? new Error('The database is closed.'))
    return new Promise<T>((resolve, reject) => {
      waiting.push({ resolve: resolve as Waiting['resolve'], reject })
      worker.postMessage(call)
    })
  }

  let ended: Promise<void> | undefined
  return {
    open: (file, mode) => ask('open', file, mode),
    query: (sql, parameters) => ask('query', sql, parameters),
    run: (sql) => ask('run', sql),
    close: () => ask('close'),
    end() {
      if (ended) return ended
      const closed = ask<void>('end')
      isEnding = true
      ended = closed.then(() => exited)
      return ended
    },
  }
}

function restoreError({ message, errno, code }: Extract<ThreadReply, { error: unknown }>['error']): Error {
  const error = new Error(message)
  return errno === undefined ? error : Object.assign(error, { name: sqliteErrorName, errno, code })
}
