import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type ServerProcess, startServer } from '../test/support/server-process.ts'

/**
 * How exactly a token limit holds, live: callers who together ask for a multiple of what it lets through, and wait after a refusal for as
 * long as it says, as the usual clients do. What the upstream was really asked to write is summed by window and set against the limit.
 */

const windowMs = 60_000
const limit = 4_000_000
const deployment = 'limited'
const prompt = 'word '.repeat(40)
const promptTokens = prompt.length / 4
/** What every call says it may need. It uses from a third of it to all, so most of the limiter's guesses are too high. */
const maxTokens = 300
const minTokens = 100
/** How long an answer takes, at least and at most. */
const answerMs = { least: 100, most: 400 }

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    callers: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '190' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(
    'npm run ponto -- --run-script bench/limits.ts [--callers 200] [--seconds 190]    method: bench/README.md',
  )
  process.exit()
}
const callers = Number(values.callers)
const seconds = Number(values.seconds)
if (!(Number.isInteger(callers) && callers > 0 && seconds > 0)) {
  console.error('--callers is a whole number from 1 on, and --seconds more than 0')
  process.exit(1)
}

const between = (least: number, most: number): number => least + Math.random() * (most - least)

/** Counts what it answers, by window of the wall clock. */
function startUpstream(usedByWindow: Map<number, number>) {
  return Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      await request.arrayBuffer()
      const window = Math.floor(Date.now() / windowMs)
      const completionTokens = Math.round(between(minTokens, maxTokens))
      const totalTokens = promptTokens + completionTokens
      usedByWindow.set(window, (usedByWindow.get(window) ?? 0) + totalTokens)
      await Bun.sleep(between(answerMs.least, answerMs.most))
      const usage = { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: totalTokens }
      return Response.json({ id: 'c', object: 'text_completion', choices: [], usage })
    },
  })
}

function writeConfig(upstreamPort: number | undefined): string {
  const limited = {
    name: deployment,
    model: { name: 'm' },
    rateLimits: [{ key: 'token', renewalPeriod: windowMs / 1000, count: limit }],
    backends: [{ url: `http://127.0.0.1:${upstreamPort}/v1` }],
  }
  return JSON.stringify({ deployments: [limited] })
}

type Counts = { answered: number; refused: number; other: number }

/** One caller: asks again and again, and after a refusal waits as it was told. */
async function ask({ httpUrl, key }: ServerProcess, endAt: number, counts: Counts): Promise<void> {
  while (Date.now() < endAt) {
    const response = await fetch(`${httpUrl}/openai/v1/completions`, {
      method: 'POST',
      headers: { 'api-key': key, 'content-type': 'application/json' },
      body: JSON.stringify({ model: deployment, prompt, max_tokens: maxTokens }),
    })
    await response.arrayBuffer()
    const waitMs = response.headers.get('retry-after-ms')
    if (response.ok) counts.answered++
    else if (response.status === 429 && waitMs !== null) {
      counts.refused++
      await Bun.sleep(Math.max(0, Math.min(Number(waitMs), endAt - Date.now())))
    } else counts.other++
  }
}

function report(usedByWindow: ReadonlyMap<number, number>, counts: Counts): void {
  const tokensPerCall = promptTokens + (minTokens + maxTokens) / 2
  const callsPerWindow = (callers * windowMs) / ((answerMs.least + answerMs.most) / 2)
  const times = (callsPerWindow * tokensPerCall) / limit
  console.log(`${callers} callers who would use ${times.toFixed(1)} times ${limit} tokens in ${windowMs / 1000} s`)
  console.log(`${counts.answered} calls answered, ${counts.refused} refused, ${counts.other} other`)
  // Of the first window and the last, only a part was seen.
  const whole = [...usedByWindow].sort(([a], [b]) => a - b).slice(1, -1)
  if (whole.length === 0) console.log(`no window was seen whole: take more than ${(2 * windowMs) / 1000} s`)
  for (const [window, used] of whole) {
    const time = new Date(window * windowMs).toISOString().slice(11, 19)
    console.log(`${time}  ${used} tokens used, ${((100 * used) / limit).toFixed(2)} % of the limit`)
  }
}

const usedByWindow = new Map<number, number>()
const counts: Counts = { answered: 0, refused: 0, other: 0 }
const upstream = startUpstream(usedByWindow)
const folder = mkdtempSync(join(tmpdir(), 'ponto-limits-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const config = join(folder, 'ponto.yaml')
writeFileSync(config, writeConfig(upstream.port))
const server = await startServer({ dataFolder: join(folder, 'data'), args: ['--config', config] })
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void server.stop().then(() => process.exit(130)))
}
try {
  const endAt = Date.now() + seconds * 1000
  await Promise.all(Array.from({ length: callers }, () => ask(server, endAt, counts)))
} finally {
  await server.stop()
  upstream.stop(true)
}
report(usedByWindow, counts)
