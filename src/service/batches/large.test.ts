import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDiskBlobs } from '../../port/blobs/disk/create-disk-blobs.ts'
import { openSqliteTables } from '../../port/tables/adapters/sqlite/open-sqlite-tables.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { createFileStore } from '../files/store.ts'
import { startWorker } from '../worker/worker.ts'
import { createBatch, findDeployment } from './batches.fixture.ts'
import { openBatches } from './open.ts'

/** A batch as large as there may be, on the stores that a server has without being told: time for that is only told, not judged. */

const lineCount = 100_000
const mib = 1024 * 1024
const log = { debug() {}, info() {}, warn() {}, error: console.error } as unknown as Logger

const prompt = 'The quick brown fox jumps over the lazy dog. '.repeat(8)

function makeLine(i: number): string {
  const messages = [{ role: 'user', content: `${i}: ${prompt}` }]
  const body = { model: 'gpt', messages, max_tokens: 100 }
  return `${JSON.stringify({ custom_id: `task-${i}`, method: 'POST', url: '/v1/chat/completions', body })}\n`
}

async function* makeInput(): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < lineCount; i += 500) {
    yield Buffer.from(Array.from({ length: 500 }, (_, k) => makeLine(i + k)).join(''))
  }
}

function measureRss(): number {
  return process.memoryUsage.rss() / mib
}

test('100,000 lines are validated, run and written without being held', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ponto-large-'))
  const tables = await openSqliteTables(join(folder, 'ponto.db'))
  const blobs = await createDiskBlobs(join(folder, 'blobs'))
  const files = createFileStore({ table: tables.files, blobs, now: Date.now, log })
  const answer = JSON.stringify({
    choices: [{ index: 0, message: { role: 'assistant', content: prompt }, finish_reason: 'stop' }],
  })
  const ended = Promise.withResolvers<void>()
  const { jobs, batches: table } = tables
  const batches = openBatches({
    table,
    jobs,
    files,
    findDeployment,
    runLine: async () => ({
      status: 200,
      requestId: 'r',
      body: answer,
      usage: { promptTokens: 90, completionTokens: 80 },
    }),
    onEnd: () => ended.resolve(),
    now: Date.now,
    log,
  })
  const id = files.makeId()
  await files.createFile({ id, owner: '', filename: 'in.jsonl', purpose: 'batch', createdAt: Date.now() }, makeInput())
  const before = measureRss()
  let most = before
  const watch = setInterval(() => {
    most = Math.max(most, measureRss())
  }, 20)
  const worker = startWorker({ jobs, handlers: batches.handlers, owner: 'test', now: Date.now, log })
  try {
    const batchId = await createBatch(batches, id)
    const cpuBefore = process.cpuUsage()
    worker.nudge()
    await ended.promise
    const cpu = process.cpuUsage(cpuBefore)
    const batch = await table.get(batchId)
    expect(batch).toMatchObject({ status: 'completed', total: lineCount, completed: lineCount, failed: 0 })
    const size = await blobs.size(`files/${batch?.outputFileId}`)
    expect(size).toBeGreaterThan(lineCount * answer.length)
    const times = batch as { createdAt: number; inProgressAt: number; finalizingAt: number; completedAt: number }
    const rate = (from: number, to: number) => `${Math.round(lineCount / ((to - from) / 1000))} lines/s`
    console.log(
      `validated ${rate(times.createdAt, times.inProgressAt)}, ran ${rate(times.inProgressAt, times.finalizingAt)}, ` +
        `wrote ${rate(times.finalizingAt, times.completedAt)}, all ${rate(times.createdAt, times.completedAt)}; ` +
        `${((cpu.user + cpu.system) / 1000 / lineCount).toFixed(3)} ms CPU a line; RSS ${before.toFixed(0)} -> ${most.toFixed(0)} MiB`,
    )
    expect(most - before).toBeLessThan(160)
  } finally {
    clearInterval(watch)
    await worker.stop()
    await blobs.close()
    await tables.close()
    rmSync(folder, { recursive: true, force: true })
  }
}, 180_000)
