import { parentPort } from 'node:worker_threads'
import { isSqliteError, type SqliteAnswer } from './session.ts'
import { createSqliteSession } from './session-in-process.ts'
import type { ThreadCall, ThreadReply } from './thread-protocol.ts'

/** The thread that SQLite runs on. It imports next to nothing, so that it starts fast. */

const port = parentPort as NonNullable<typeof parentPort>
const session = createSqliteSession()
const reply = (message: ThreadReply): void => port.postMessage(message)

port.on('message', (call: ThreadCall) => {
  void answer(call)
})

async function answer([name, ...parameters]: ThreadCall): Promise<void> {
  try {
    const run = session[name] as (...parameters: unknown[]) => Promise<SqliteAnswer | undefined>
    reply({ answer: await run(...parameters) })
  } catch (error) {
    reply({ error: describe(error) })
  }
  // Nothing holds the thread any more: it ends by itself.
  if (name === 'end') port.close()
}

function describe(error: unknown): Extract<ThreadReply, { error: unknown }>['error'] {
  if (!(error instanceof Error)) return { message: String(error) }
  if (!isSqliteError(error)) return { message: error.message }
  return { message: error.message, errno: error.errno, ...(error.code !== undefined && { code: error.code }) }
}
