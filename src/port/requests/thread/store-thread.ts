import { parentPort } from 'node:worker_threads'
import { toFault } from '../../../core/fault.ts'
import type { RequestStore } from '../port.ts'
import type { RequestPlace, StoreCall, StoreReply } from './protocol.ts'

/** The thread on which requests are packed, written and searched. */

const port = parentPort as NonNullable<typeof parentPort>
let store: Promise<RequestStore> | undefined

port.on('message', async (call: StoreCall) => {
  const { number } = call
  let reply: StoreReply
  try {
    reply = { number, answer: await answer(call) }
  } catch (error) {
    const { code, message } = toFault(error)
    reply = { number, code, message: code === 'internal' && error instanceof Error ? error.message : message }
  }
  port.postMessage(reply)
  // Nothing holds the thread any more: it ends by itself.
  if ('method' in call && call.method === 'close') port.close()
})

async function answer(call: StoreCall): Promise<unknown> {
  if ('open' in call) {
    store = openStore(call.open)
    await store
    return undefined
  }
  const method = (await store)?.[call.method] as (...parameters: readonly unknown[]) => unknown
  return method(...call.parameters)
}

async function openStore(place: RequestPlace): Promise<RequestStore> {
  if (place.kind === 'sqlite') return (await import('../adapters/sqlite.ts')).openSqliteRequests(place.file)
  return (await import('../adapters/postgres.ts')).openPostgresRequests(place)
}
