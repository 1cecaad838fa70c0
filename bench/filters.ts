import { rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Event } from '../src/core/event.ts'
import { directionOf } from '../src/policy/filter/direction.ts'
import { makeEngine, makeList, makePlan, makeRemote, makeRule, makeSide } from '../src/policy/filter/filter.fixture.ts'
import { gateEvents } from '../src/policy/filter/gate/gate-events.ts'
import type { FilterPlan } from '../src/policy/filter/plan.ts'
import { startServer } from '../test/support/server-process.ts'

/** What content filters let through and what they hold up. `--help` says how to call it; last numbers: bench/README.md. */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    streams: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean' },
  },
})
const commands: Record<string, () => Promise<void>> = { leak: measureLeak, stop: measureStop, first: measureFirst }
const [command = ''] = positionals
if (values.help || !Object.hasOwn(commands, command)) {
  console.log(`node bin/ponto.mjs --run-script bench/filters.ts COMMAND

leak   characters of a listed term that get out of randomly cut streams   [--streams 10000] [--seed 1]
stop   how far an answer that goes out at once gets beyond what it is stopped for   [--streams 10000 / 50]
first  time to the first visible character and lag behind a model of 50 tokens/s: no filter, builtin, a guard of 50 ms`)
  process.exit(values.help ? 0 : 2)
}
const random = createRandom(Number(values.seed))

/** Mulberry32: the same numbers for the same seed. */
function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return Math.floor((((value ^ (value >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

function pick<T>(from: readonly T[]): T {
  return from[random(from.length)] as T
}

function makeWord(): string {
  return Array.from({ length: 3 + random(8) }, () => pick([...'abcdefghijklmnopqrstuvwxyz'])).join('')
}

/** Cut at places of its own, also within what a reader takes for one letter. */
function cutAnywhere(text: string): string[] {
  const places = new Set(Array.from({ length: random(text.length) }, () => random(text.length)))
  const at = [0, ...[...places].filter((place) => place > 0).sort((a, b) => a - b), text.length]
  return at.slice(1).map((place, i) => text.slice(at[i], place))
}

async function* speak(pieces: readonly string[]): AsyncGenerator<Event> {
  for (const text of pieces) yield { type: 'text-delta', choice: 0, text }
  yield { type: 'choice-end', choice: 0, reason: 'stop' }
}

async function pass(pieces: readonly string[], plan: FilterPlan): Promise<{ said: string; wasCut: boolean }> {
  let said = ''
  let wasCut = false
  const events = gateEvents(speak(pieces), {
    context: {
      direction: directionOf(plan, 'Completion'),
      asked: [],
      documents: [],
      signal: new AbortController().signal,
      remote: makeRemote(),
    },
    choices: 1,
    isJson: false,
    isExplained: false,
    promptChars: 0,
    first: undefined,
    writeRedaction: ({ type }) => `[${type}]`,
    onJudged: () => {},
  })
  for await (const event of events) {
    if (event.type === 'text-delta') said += event.text
    if (event.type === 'choice-end') wasCut = event.reason === 'content_filter'
  }
  return { said, wasCut }
}

/** What stands between the letters of a term without anybody seeing it, or looks like one of them. */
const disguises: readonly ((term: string) => string)[] = [
  (term) => term,
  (term) => term.toUpperCase(),
  (term) => [...term].join('\u200b'),
  (term) => `${term[0]}\u00ad${term.slice(1)}`,
  (term) => term.replaceAll('a', '\u0430').replaceAll('e', '\u0435').replaceAll('o', '\u043e'),
  (term) => term.replace(/[a-z]/g, (letter) => String.fromCodePoint(letter.charCodeAt(0) - 0x61 + 0x1d41a)),
  (term) => term.replaceAll(' ', ' \n '),
]

async function measureLeak(): Promise<void> {
  const streams = Number(values.streams)
  const terms = Array.from({ length: 1_600 }, () => (random(4) === 0 ? `${makeWord()} ${makeWord()}` : makeWord()))
  const plan = makePlan({ completion: makeSide({ blocklists: [makeList('list', terms)] }) })
  const listed = new Set(terms)
  let leaked = 0
  let missed = 0
  for (let i = 0; i < streams; i++) {
    const words = Array.from({ length: random(60) }, makeWord).filter((word) => !listed.has(word))
    const before = words.length > 0 ? `${words.join(' ')}, ` : ''
    const text = `${before}${pick(disguises)(pick(terms))}. ${makeWord()}`
    const { said, wasCut } = await pass(cutAnywhere(text), plan)
    if (!wasCut) missed++
    // A term may also begin earlier than the one that was put there: then less goes out.
    leaked += Math.max(0, said.length - before.length)
  }
  console.log(
    `${streams} streams, 1,600 terms, ${disguises.length} spellings: ${leaked} characters leaked, ${missed} terms missed`,
  )
}

async function measureStop(): Promise<void> {
  const streams = Math.ceil(Number(values.streams) / 50)
  let furthest = 0
  let missed = 0
  for (let i = 0; i < streams; i++) {
    const engine = { ...makeEngine({ delayMs: random(60) }), deadlineMs: { prompt: 1_500, window: 800 } }
    const rules = [makeRule('violence', { usesBuiltin: false, engines: [engine] })]
    const plan = makePlan({ mode: 'asynchronous', completion: makeSide({ rules }) })
    const before = 'good words '.repeat(random(300))
    const { said, wasCut } = await pass(cutAnywhere(`${before}wicked ${'and more '.repeat(500)}`), plan)
    if (!wasCut) missed++
    furthest = Math.max(furthest, said.length - before.length)
  }
  console.log(
    `${streams} streams, guards of 0 to 60 ms: at most ${furthest} characters from the offence on, ${missed} not stopped`,
  )
}

const letter =
  'Dear Ms Carter, thank you for your message about the delivery that did not arrive on Monday. I have looked at the order, and it seems ' +
  'that the carrier tried twice to reach you at the office, which was closed for the holiday. We have asked them to come again on ' +
  'Thursday between nine and noon. If that does not suit you, please answer this message, and we shall find another time together. '
const charsPerToken = 3.2
const tokenMs = 20
const guardMs = 50
const rounds = 12

type Arrival = { readonly chars: number; readonly atMs: number }

/** A model that speaks at 50 tokens a second, and a guard that takes its time. */
async function measureFirst(): Promise<void> {
  const text = letter.repeat(2)
  const tokens = Array.from({ length: Math.floor(text.length / charsPerToken) }, (_, i) =>
    text.slice(Math.round(i * charsPerToken), Math.round((i + 1) * charsPerToken)),
  )
  const sent: Arrival[][] = []
  const upstream = createServer((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const begin = performance.now()
    const own: Arrival[] = []
    sent.push(own)
    const chunk = (delta: object, reason: string | null) =>
      `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: reason, logprobs: null }] })}\n\n`
    let next = 0
    let chars = 0
    const speakOn = (): void => {
      const token = tokens[next++]
      if (token === undefined || response.destroyed) {
        response.end(`${chunk({}, 'stop')}data: [DONE]\n\n`)
        return
      }
      response.write(chunk({ content: token }, null))
      chars += token.length
      own.push({ chars, atMs: performance.now() })
      setTimeout(speakOn, Math.max(0, begin + (next + 1) * tokenMs - performance.now()))
    }
    setTimeout(speakOn, tokenMs)
  })
  const safe = { flagged: false, categories: {}, category_scores: {} }
  const guard = createServer((request, response) => {
    request.resume().on('end', () => {
      setTimeout(() => {
        response.writeHead(200, { 'content-type': 'application/json' })
        response.end(JSON.stringify({ id: 'm', model: 'guard', results: [safe] }))
      }, guardMs)
    })
  })
  const ports = await Promise.all([upstream, guard].map(listenAnywhere))
  const folder = await mkdtemp(join(tmpdir(), 'ponto-bench-'))
  const backends = [{ url: `http://127.0.0.1:${ports[0]}/v1` }]
  const filters = ['Hate', 'Violence', 'Sexual', 'Selfharm'].map((name) => ({
    name,
    source: 'Completion',
    engines: ['guard'],
  }))
  const config = {
    filterEngines: [{ name: 'guard', kind: 'http', url: `http://127.0.0.1:${ports[1]}/v1/moderations` }],
    raiPolicies: [{ name: 'guarded', basePolicyName: 'Microsoft.DefaultV2', contentFilters: filters }],
    deployments: [
      { name: 'none', model: { name: 'm' }, raiPolicyName: 'Microsoft.Nil', backends },
      { name: 'builtin', model: { name: 'm' }, raiPolicyName: 'Microsoft.DefaultV2', backends },
      { name: 'guarded', model: { name: 'm' }, raiPolicyName: 'guarded', backends },
    ],
  }
  writeFileSync(join(folder, 'ponto.yaml'), JSON.stringify(config))
  const server = await startServer({ dataFolder: join(folder, 'data'), args: ['--config', join(folder, 'ponto.yaml')] })
  try {
    const rows: string[] = []
    let direct = 0
    for (const name of ['none', 'builtin', 'guarded']) {
      const firsts: number[] = []
      const lags: number[] = []
      for (let round = 0; round < rounds; round++) {
        sent.length = 0
        const seen = await readStream(`${server.httpUrl}/openai/v1/chat/completions`, server.key, name)
        const own = sent[0] as Arrival[]
        firsts.push((seen[0] as Arrival).atMs - (own[0] as Arrival).atMs)
        for (const { chars, atMs } of own) {
          const arrived = seen.find((arrival) => arrival.chars >= chars)
          if (arrived) lags.push(arrived.atMs - atMs)
        }
      }
      const first = quantile(firsts, 0.5)
      if (name === 'none') direct = first
      rows.push(
        `${name.padEnd(9)} first visible +${(first - direct).toFixed(1).padStart(6)} ms (p95 ${(quantile(firsts, 0.95) - direct).toFixed(1)}); lag of a character p50 ${quantile(lags, 0.5).toFixed(0)}, p95 ${quantile(lags, 0.95).toFixed(0)} ms`,
      )
    }
    console.log(
      [`50 tokens/s of ${charsPerToken} characters, a guard of ${guardMs} ms, ${rounds} streams each`, ...rows].join(
        '\n',
      ),
    )
  } finally {
    await server.stop()
    upstream.close()
    guard.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function listenAnywhere(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** When how many characters of the answer had come. */
async function readStream(url: string, key: string, model: string): Promise<Arrival[]> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'api-key': key },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Write a letter.' }], stream: true }),
  })
  if (response.status !== 200) throw new Error(`${model}: ${response.status} ${await response.text()}`)
  const seen: Arrival[] = []
  let rest = ''
  let chars = 0
  for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
    const atMs = performance.now()
    const events = (rest + new TextDecoder().decode(bytes)).split('\n\n')
    rest = events.pop() ?? ''
    for (const event of events) {
      if (!event.startsWith('data: {')) continue
      const content = JSON.parse(event.slice(6)).choices[0]?.delta?.content
      if (!content) continue
      chars += content.length
      seen.push({ chars, atMs })
    }
  }
  return seen
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number
}

await (commands[command] as () => Promise<void>)()
