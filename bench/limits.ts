import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startServer } from '../test/support/server-process.ts'

/**
 * How exactly a token limit holds, live: many callers ask for three times what it lets through, as clients do that wait for as long as a
 * refusal says. What the upstream gets is summed by window and set against the limit.
 */

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    callers: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '130' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log('node bin/ponto.mjs --run-script bench/limits.ts [--callers 200] [--seconds 130]')
  process.exit()
}
const callers = Number(values.callers)
const seconds = Number(values.seconds)
const windowMs = 60_000
const limit = 3_200_000
/** Asked for and used: a call that says 300 uses 100 to 300. */
const maxTokens = 300
const thinkMs = [100, 400] as const
/** What all callers together would use if nobody refused. */
const offered = (callers * 200 * windowMs) / ((thinkMs[0] + thinkMs[1]) / 2)

const used = new Map<number, number>()
const upstream = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request) {
    const { prompt } = (await request.json()) as { prompt: string }
    const window = Math.floor(Date.now() / windowMs)
    const tokens = 100 + Math.floor(Math.random() * (maxTokens - 100))
    const promptTokens = Math.ceil(prompt.length / 4)
    used.set(window, (used.get(window) ?? 0) + tokens + promptTokens)
    await Bun.sleep(thinkMs[0] + Math.random() * (thinkMs[1] - thinkMs[0]))
    const usage = { prompt_tokens: promptTokens, completion_tokens: tokens, total_tokens: promptTokens + tokens }
    return Response.json({ id: 'c', object: 'text_completion', choices: [], usage })
  },
})
const folder = mkdtempSync(join(tmpdir(), 'ponto-limits-'))
const config = join(folder, 'ponto.yaml')
writeFileSync(
  config,
  JSON.stringify({
    deployments: [
      {
        name: 'limited',
        model: { name: 'm' },
        rateLimits: [{ key: 'token', renewalPeriod: windowMs / 1000, count: limit }],
        backends: [{ url: `http://127.0.0.1:${upstream.port}/v1` }],
      },
    ],
  }),
)
const server = await startServer({ dataFolder: join(folder, 'data'), args: ['--config', config] })
const counts = { answered: 0, refused: 0, other: 0 }
const endAt = Date.now() + seconds * 1000

async function call(): Promise<void> {
  while (Date.now() < endAt) {
    const response = await fetch(`${server.httpUrl}/openai/v1/completions`, {
      method: 'POST',
      headers: { 'api-key': server.key, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'limited', prompt: 'word '.repeat(40), max_tokens: maxTokens }),
    })
    await response.arrayBuffer()
    if (response.status === 200) counts.answered++
    else if (response.status === 429) {
      counts.refused++
      const waitMs = Number(response.headers.get('retry-after-ms'))
      await Bun.sleep(Math.min(Math.max(0, endAt - Date.now()), waitMs))
    } else counts.other++
  }
}

try {
  await Promise.all(Array.from({ length: callers }, call))
} finally {
  await server.stop()
  upstream.stop(true)
  rmSync(folder, { recursive: true, force: true })
}
console.log(
  `${callers} callers, offered about ${(offered / limit).toFixed(1)} times the limit of ${limit} tokens in ${windowMs / 1000} s`,
)
console.log(`${counts.answered} answered, ${counts.refused} refused, ${counts.other} other`)
// The first window and the last were open for a part of their time only.
const windows = [...used].sort(([a], [b]) => a - b).slice(1, -1)
for (const [window, tokens] of windows) {
  console.log(
    `${new Date(window * windowMs).toISOString().slice(11, 19)}  ${tokens} tokens used, ${((100 * tokens) / limit).toFixed(2)} % of the limit`,
  )
}
