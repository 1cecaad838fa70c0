import type { PostgresServer } from '../postgres-server.ts'
import { hasEnded, waitForBatch } from './client.ts'
import { calmPrefix } from './upstream.ts'
import type { BatchWorld } from './world.ts'

export type Outage = {
  readonly batchId: string
  readonly inputId: string
  /** Where the batch was when the database went, and when it was back. */
  readonly completedBefore: number
  readonly completedAtReturn: number
  /** After the return. */
  readonly endedAfterMs: number
  /** Of callers while the database was away; the statuses that were not 200. */
  readonly live: {
    readonly calls: number
    readonly failures: readonly number[]
    readonly p50Ms: number
    readonly p99Ms: number
  }
  /** What whoever asked for files and batches meanwhile was told: `503 GET v1/batches: {...}`. */
  readonly told: readonly string[]
}

const liveSpacingMs = 20

/**
 * Takes the database away while a batch runs, for so long, and calls the server meanwhile. Resolves when the batch has ended; whether it
 * ended well is for the caller to look at.
 */
export async function takeDatabaseAway(
  world: BatchWorld,
  postgres: PostgresServer,
  { prefix, lines, lineBytes, seconds }: { prefix: string; lines: number; lineBytes: number; seconds: number },
): Promise<Outage> {
  const { batch, inputId } = await world.submit({ prefix, lines, lineBytes })
  const { id } = batch
  const before = await waitForBatch(world.client, id, ({ request_counts: counts }) => counts.completed > lines / 10)
  const { httpUrl, key } = world.server()
  await postgres.kill()

  const endAt = performance.now() + seconds * 1000
  const live: { readonly status: number; readonly ms: number }[] = []
  const told: string[] = []
  async function callLive(): Promise<void> {
    while (performance.now() < endAt) {
      const startedAt = performance.now()
      const body = JSON.stringify({ model: 'work', messages: [{ role: 'user', content: `${calmPrefix}-1 hello` }] })
      const response = await fetch(`${httpUrl}/openai/v1/chat/completions`, {
        method: 'POST',
        headers: { 'api-key': key },
        body,
      })
      await response.arrayBuffer()
      live.push({ status: response.status, ms: performance.now() - startedAt })
      await Bun.sleep(liveSpacingMs)
    }
  }
  async function askForWork(): Promise<void> {
    const form = new FormData()
    form.set('purpose', 'batch')
    form.set('file', new File(['{}\n'], 'a.jsonl'))
    const asked = { input_file_id: inputId, endpoint: '/v1/chat/completions', completion_window: '24h' }
    const json = { 'content-type': 'application/json' }
    const requests: readonly [string, RequestInit][] = [
      ['v1/batches', {}],
      [`v1/batches/${id}`, {}],
      [`v1/batches/${id}/cancel`, { method: 'POST' }],
      ['v1/batches', { method: 'POST', headers: json, body: JSON.stringify(asked) }],
      ['v1/files', {}],
      [`v1/files/${inputId}/content`, {}],
      ['v1/files', { method: 'POST', body: form }],
      [`files/${inputId}?api-version=2024-10-21`, {}],
      [`v1/files/${inputId}`, { method: 'DELETE' }],
    ]
    for (const [path, init] of requests) {
      const headers = { 'api-key': key, ...init.headers }
      const response = await fetch(`${httpUrl}/openai/${path}`, { ...init, headers })
      const what = `${init.method ?? 'GET'} ${path.replace(id, 'ID').replace(inputId, 'ID')}`
      told.push(`${response.status} ${what}: ${await response.text()}`)
    }
  }
  await Promise.all([callLive(), askForWork()])
  await postgres.restart()
  const back = await waitForBatch(world.client, id, () => true)
  const backAt = performance.now()
  await waitForBatch(world.client, id, hasEnded)
  const times = live.map(({ ms }) => ms).toSorted((a, b) => a - b)
  const quantile = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN
  return {
    batchId: id,
    inputId,
    completedBefore: before.request_counts.completed,
    completedAtReturn: back.request_counts.completed,
    endedAfterMs: performance.now() - backAt,
    live: {
      calls: live.length,
      failures: live.map(({ status }) => status).filter((status) => status !== 200),
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
    },
    told,
  }
}
