import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ServerProcess, startServer } from '../../test/support/server-process.ts'
import { startChild } from '../load/child.ts'
import type { RunResult } from '../load/generate.ts'
import { readCost } from '../load/process-cost.ts'
import { type Target, writeRequest } from '../load/target.ts'

/** What the log costs a request: two servers that differ in nothing else, in turn, by their CPU time; and that of the thread that answers. */

const rounds = 8
const roundMs = 1_500
const warmUpMs = 4_000
const connections = 32

type Side = { readonly name: string; readonly server: ServerProcess; requests: number; cpuUs: number; mainUs: number }

export async function compareServers(tell: (text: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ponto-bench-requests-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const upstream = await startChild('mock-upstream.ts')
  const generator = await startChild('generate.ts')
  const sides: Side[] = []
  try {
    const config = join(folder, 'ponto.yaml')
    const backends = [{ url: `http://127.0.0.1:${upstream.ready as number}/v1`, model: 'chat' }]
    const deployment = { name: 'Bench-chat', model: { name: 'chat' }, backends, raiPolicyName: 'Microsoft.Nil' }
    writeFileSync(config, JSON.stringify({ deployments: [deployment] }))
    for (const [name, days] of [
      ['without a log', '0'],
      ['with the log', '30'],
    ] as const) {
      const args = ['--config', config, '--request-log-days', days]
      const server = await startServer({ dataFolder: join(folder, days), args })
      sides.push({ name, server, requests: 0, cpuUs: 0, mainUs: 0 })
    }
    tell('warming up')
    for (const side of sides) await run(side, warmUpMs)
    for (const side of sides) Object.assign(side, { requests: 0, cpuUs: 0, mainUs: 0 })
    for (let round = 1; round <= rounds; round++) {
      tell(`round ${round} of ${rounds}`)
      for (const side of round % 2 ? sides : sides.toReversed()) await run(side, roundMs)
    }
    console.log(
      `${'CPU time of a request, us'.padEnd(26)}  ${'all threads'.padStart(11)}  ${'that answers'.padStart(12)}`,
    )
    for (const { name, requests, cpuUs, mainUs } of sides) {
      console.log(
        `${name.padEnd(26)}  ${(cpuUs / requests).toFixed(1).padStart(11)}  ${(mainUs / requests).toFixed(1).padStart(12)}   of ${requests}`,
      )
    }
    const [off, on] = sides as [Side, Side]
    const ratio = (read: (side: Side) => number) => (read(on) / on.requests / (read(off) / off.requests)).toFixed(2)
    console.log(
      `${'ratio'.padEnd(26)}  ${ratio(({ cpuUs }) => cpuUs).padStart(11)}  ${ratio(({ mainUs }) => mainUs).padStart(12)}`,
    )
  } finally {
    await Promise.all([...sides.map(({ server }) => server.stop()), upstream.stop(), generator.stop()])
  }

  async function run(side: Side, forMs: number): Promise<void> {
    const { server } = side
    const target: Target = {
      name: side.name,
      port: Number(new URL(server.httpUrl).port),
      pid: server.pid,
      path: '/openai/v1/chat/completions',
      headers: { 'api-key': server.key },
      model: () => 'Bench-chat',
    }
    const request = writeRequest(target, 'chat')
    const [cpuUs, mainUs] = [readCost(server.pid).cpuUs, readMainThread(server.pid)]
    const result = (await generator.ask({
      maxRequests: 1e6,
      connections,
      forMs,
      port: target.port,
      request,
    })) as RunResult
    // What is written after the last request is a part of it.
    await Bun.sleep(1_500)
    side.requests += result.requests
    side.cpuUs += readCost(server.pid).cpuUs - cpuUs
    side.mainUs += readMainThread(server.pid) - mainUs
  }
}

/** CPU time of the thread that answers, in microseconds, as schedstat counts it: exactly. */
function readMainThread(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1_000
}
