import { setTimeout as sleep } from 'node:timers/promises'
import type { PostgresPool, PostgresPoolClient } from 'kysely'
import { Pool, type PoolClient, type PoolConfig, types } from 'pg'
import type { Fault } from '../../../../core/fault.ts'
import { describeFailure, describeLastingFailure, isConnectionLost, isPerhapsStarting } from './failures.ts'

const int8 = 20
const numeric = 1700
const firstAskMs = 250
const lastAskMs = 5_000
const closeMs = 5_000

/** Whole numbers that are larger than JavaScript's do not occur here: times, sizes and sums of both. */
const numberTypes: PoolConfig['types'] = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === int8 || oid === numeric
      ? Number
      : types.getTypeParser(oid, format as 'text')) as typeof types.getTypeParser,
}

export type GuardedPool = PostgresPool & {
  /**
   * Resolves when there is a connection; asks again for so long while nobody is there or the server says that it is starting. `onWait` is told
   * the first time why. Rejects with Fault `storage-unavailable` when that did not help, and `state-unusable` where waiting does not.
   */
  waitForServer(ms: number, onWait?: (why: Fault) => void): Promise<void>
}

/** A pool of connections whose failures are Faults. What a broken connection was asked is not asked again: it may have been done. */
export function createPool(config: PoolConfig): GuardedPool {
  const pool = new Pool({ ...config, types: numberTypes })
  // Connections that lie idle break too. They are gone then, and whoever asks next gets another one.
  pool.on('error', () => {})
  // One that breaks while it is lent tells so by its next statement. Nobody listening would end the process.
  pool.on('connect', (client) => void client.on('error', () => {}))

  async function waitForServer(ms: number, onWait?: (why: Fault) => void): Promise<void> {
    const until = performance.now() + ms
    for (let askMs = firstAskMs; ; askMs = Math.min(askMs * 2, lastAskMs)) {
      try {
        return (await pool.connect()).release()
      } catch (error) {
        if (!isPerhapsStarting(error)) throw describeLastingFailure(error)
        const fault = describeFailure(error)
        const leftMs = until - performance.now()
        if (leftMs <= 0) throw fault
        if (askMs === firstAskMs) onWait?.(fault)
        await sleep(Math.min(askMs, leftMs))
      }
    }
  }

  return {
    waitForServer,
    async connect() {
      try {
        return guard(await pool.connect())
      } catch (error) {
        throw describeFailure(error)
      }
    },
    async end() {
      // A server that does not answer is not waited for.
      await Promise.race([pool.end(), sleep(closeMs, undefined, { ref: false })])
    },
  }
}

function guard(client: PoolClient): PostgresPoolClient {
  let isBroken = false
  async function query(sql: string, parameters: readonly unknown[]) {
    if (isBroken) throw describeFailure(new Error('the connection broke'))
    try {
      return await client.query(sql, [...parameters])
    } catch (error) {
      // After a refusal by the server the connection is good. After anything else, silence included, nobody knows what comes next.
      isBroken = isConnectionLost(error)
      throw describeFailure(error)
    }
  }
  // Kysely asks for streams by another signature, but only with a cursor, and there is none.
  return { query: query as unknown as PostgresPoolClient['query'], release: () => client.release(isBroken) }
}
