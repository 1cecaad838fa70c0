import { afterAll, beforeAll, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import path from 'node:path'
import { writeFixtureGguf } from '../../test/support/fixture-gguf.ts'
import { chat, drain, endless, faultOf, isAlive, never, openBench, stream, until, whole } from './engine.fixture.ts'

const bench = openBench()
beforeAll(() => {
  const bytes = readFileSync(path.join(bench.folder, 'random.gguf'))
  writeFileSync(path.join(bench.folder, 'truncated.gguf'), bytes.subarray(0, bytes.length / 2))
})
afterAll(() => bench.close())

test('beyond the line, requests are refused with a time to retry after; who leaves the line makes room', async () => {
  const engine = bench.start('random.gguf', { slots: 1, queueLimit: 2 })
  await engine.ready()
  const long = chat('go', { logitBias: endless })
  const leaving = new AbortController()
  const first = whole(engine, long)
  await until(() => engine.state().running === 1)
  const second = faultOf(whole(engine, long, leaving.signal))
  const third = whole(engine, chat('go', { maxTokens: 1 }))
  await until(() => engine.state().waiting === 2)
  const fault = await faultOf(whole(engine, long))
  expect(fault.code).toBe('engine-busy')
  expect(fault.status).toBe(429)
  expect(fault.detail.retryAfterMs).toBeGreaterThanOrEqual(1000)
  leaving.abort()
  expect((await second).code).toBe('client-gone')
  const fourth = whole(engine, chat('go', { maxTokens: 1 }))
  for (const result of await Promise.all([first, third, fourth])) expect(result.choices[0]?.finishReason).toBe('length')
})

test('requests that come while the model loads wait for it', async () => {
  const engine = bench.start('random.gguf')
  expect(engine.state().state).toBe('starting')
  expect((await whole(engine, chat('Hi', { maxTokens: 2 }))).usage?.completionTokens).toBe(2)
  expect((await engine.backend.probe(never)).ok).toBe(true)
})

test('kill -9 in mid-stream: that request fails, waiting ones and later ones are answered', async () => {
  const engine = bench.start('random.gguf', { slots: 1, restartMs: 20 })
  await engine.ready()
  const { pid } = engine.state()
  const events = await stream(engine, chat('go', { logitBias: endless }))
  await events.next()
  const waiting = whole(engine, chat('Hi', { maxTokens: 3 }))
  await until(() => engine.state().waiting === 1)
  process.kill(pid as number, 'SIGKILL')
  const fault = await faultOf(drain(events))
  expect(fault.code).toBe('engine-unavailable')
  expect((await waiting).choices[0]?.finishReason).toBe('length')
  expect((await whole(engine, chat('Hi', { maxTokens: 3 }))).usage?.completionTokens).toBe(3)
  expect(engine.state()).toMatchObject({ state: 'ready', starts: 2 })
  expect(engine.state().pid).not.toBe(pid as number)
})

test('a process that hangs is replaced', async () => {
  const engine = bench.start('random.gguf', { pingMs: 50, restartMs: 1 })
  await engine.ready()
  const events = await stream(engine, chat('go', { logitBias: endless }))
  process.kill(engine.state().pid as number, 'SIGSTOP')
  expect((await faultOf(drain(events))).code).toBe('engine-unavailable')
  expect((await whole(engine, chat('Hi', { maxTokens: 1 }))).choices).toHaveLength(1)
  expect(engine.state().starts).toBe(2)
})

test('a request waits for the model only so long', async () => {
  const engine = bench.start('random.gguf', { readyWaitMs: 1 })
  const fault = await faultOf(whole(engine, chat('Hi')))
  expect(fault).toMatchObject({ code: 'engine-unavailable', status: 503, detail: { retryAfterMs: 5000 } })
  const gone = new AbortController()
  const leaving = faultOf(whole(bench.start('random.gguf'), chat('Hi'), gone.signal))
  gone.abort()
  expect((await leaving).code).toBe('client-gone')
})

test('a truncated file: failed at the first attempt, with the reason, and requests are told at once', async () => {
  const engine = bench.start('truncated.gguf')
  expect((await faultOf(engine.ready())).code).toBe('engine-unavailable')
  expect(engine.state()).toMatchObject({ state: 'failed', starts: 1, pid: undefined })
  expect(engine.state().detail).toMatch(/truncated\.gguf: .*corrupted or incomplete/)
  const fault = await faultOf(whole(engine, chat('Hi')))
  expect(fault.status).toBe(503)
  expect(fault.message).not.toInclude(bench.folder)
  expect((await engine.backend.probe(never)).ok).toBe(false)
})

test('a failed engine recovers when its file does', async () => {
  writeFileSync(path.join(bench.folder, 'mended.gguf'), 'GGUF')
  const engine = bench.start('mended.gguf', { retryFailedMs: 50 })
  await faultOf(engine.ready())
  writeFixtureGguf(path.join(bench.folder, 'mended.gguf'))
  await until(() => engine.state().state === 'ready')
  expect((await whole(engine, chat('Hi', { maxTokens: 1 }))).choices).toHaveLength(1)
})

test('a process that keeps dying ends as failed', async () => {
  const engine = bench.start('random.gguf', { restartMs: 1 })
  for (let starts = 1; starts <= 5; starts++) {
    await until(() => engine.state().starts === starts && engine.state().pid !== undefined)
    process.kill(engine.state().pid as number, 'SIGKILL')
  }
  await until(() => engine.state().state === 'failed')
  expect(engine.state().detail).toInclude('SIGKILL')
})

test.skipIf(process.platform !== 'linux')(
  'all threads of the process are a little less urgent than the server',
  async () => {
    const engine = bench.start('random.gguf')
    await whole(engine, chat('Hi', { maxTokens: 2 }))
    const tasks = `/proc/${engine.state().pid}/task`
    const niceness = readdirSync(tasks).map((thread) => getPriority(Number(thread)) - getPriority())
    expect(niceness.length).toBeGreaterThan(1)
    for (const step of niceness) expect(step).toBe(Math.min(5, 19 - getPriority()))
  },
)

test('the process ends when its server is killed', async () => {
  const script = path.join(bench.folder, 'server.ts')
  const options = {
    modelFile: path.join(bench.folder, 'random.gguf'),
    modelName: 'm',
    contextSize: 512,
    slots: 1,
    queueLimit: 1,
  }
  writeFileSync(
    script,
    `import { startEngine } from ${JSON.stringify(path.join(import.meta.dir, 'engine.ts'))}
       const engine = startEngine({ ...${JSON.stringify(options)}, log() {} })
       await engine.ready()
       console.log(engine.state().pid)`,
  )
  const server = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const pid = Number(await new Promise((resolve) => server.stdout.once('data', resolve)))
  expect(isAlive(pid)).toBe(true)
  server.kill('SIGKILL')
  await until(() => !isAlive(pid))
})

test('a stopped engine answers nothing and leaves no process', async () => {
  const engine = bench.start('random.gguf')
  await engine.ready()
  const { pid } = engine.state()
  const running = faultOf(whole(engine, chat('go', { logitBias: endless })))
  await until(() => engine.state().running === 1)
  await engine.stop()
  expect((await running).code).toBe('engine-unavailable')
  expect((await faultOf(whole(engine, chat('Hi')))).code).toBe('engine-unavailable')
  expect(isAlive(pid as number)).toBe(false)
})
