import { Worker } from 'node:worker_threads'
import { Fault } from '../../../core/fault.ts'
import type { RequestStore } from '../port.ts'
import type { RequestPlace, StoreReply } from './protocol.ts'

type Waiting = { resolve(value: unknown): void; reject(error: Error): void }

/** After it could not be opened, or was lost, it is opened again no sooner than this. */
const usualReopenMs = 2_000

/**
 * The store on a thread of its own, opened when it is first needed, so that a start does not wait for it. One that cannot be opened is
 * opened again by a later call, and so is one whose thread was lost: requests go on without it.
 */
export function startRequestStore(place: RequestPlace, reopenMs = usualReopenMs): RequestStore {
  let current: OpenThread | undefined
  let failed: { readonly error: Error; readonly atMs: number } | undefined
  let isClosed = false

  function thread(): OpenThread {
    if (current) return current
    if (isClosed) throw new Fault('storage-unavailable', 'The request log is closed.')
    if (failed && performance.now() - failed.atMs < reopenMs) throw failed.error
    const opened = openThread(place, (error) => {
      if (current === opened) current = undefined
      failed = { error, atMs: performance.now() }
    })
    current = opened
    return opened
  }

  async function call<T>(method: keyof RequestStore, ...parameters: readonly unknown[]): Promise<T> {
    const { opened, ask } = thread()
    await opened
    return (await ask({ method, parameters })) as T
  }

  return {
    append: (lots, contents) => call('append', lots, contents),
    search: (query) => call('search', query),
    find: (id) => call('find', id),
    findContent: (id) => call('findContent', id),
    totals: () => call('totals'),
    sweep: (retention) => call('sweep', retention),
    async close() {
      isClosed = true
      await current?.end()
    },
  }
}

type OpenThread = {
  readonly opened: Promise<unknown>
  ask(call: { readonly method: keyof RequestStore; readonly parameters: readonly unknown[] }): Promise<unknown>
  end(): Promise<void>
}

/** `onLost` is told when it can be of no more use. */
function openThread(place: RequestPlace, onLost: (error: Error) => void): OpenThread {
  const worker = new Worker(new URL('./store-thread.ts', import.meta.url), { name: 'requests' })
  const waiting = new Map<number, Waiting>()
  let numbers = 0
  let isEnding = false

  function lose(error: Error): void {
    if (isEnding) return
    isEnding = true
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
    onLost(error)
    void worker.terminate()
  }
  const exited = new Promise<void>((done) => {
    worker.on('error', (error: unknown) => lose(describeLoss(error)))
    worker.on('exit', () => {
      lose(describeLoss('it ended by itself'))
      done()
    })
  })
  worker.on('message', (reply: StoreReply) => {
    const asked = waiting.get(reply.number)
    waiting.delete(reply.number)
    if ('code' in reply) asked?.reject(new Fault(reply.code, reply.message))
    else asked?.resolve(reply.answer)
  })
  const send = (call: object): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const number = numbers++
      waiting.set(number, { resolve, reject })
      worker.postMessage({ number, ...call })
    })

  const opened = send({ open: place })
  opened.catch(lose)
  return {
    opened,
    ask: (call) => send(call),
    async end() {
      await opened.catch(() => {})
      if (isEnding) return
      const closed = send({ method: 'close', parameters: [] })
      isEnding = true
      await closed
      await exited
    },
  }
}

function describeLoss(error: unknown): Fault {
  const reason = error instanceof Error ? error.message : String(error)
  return new Fault('storage-unavailable', `The thread of the request log failed: ${reason}.`)
}
