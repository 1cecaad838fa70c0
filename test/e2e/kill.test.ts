import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BudgetView, DeploymentView, NamedKeyView, UsageView } from '../../src/control/api.ts'
import { type FakeUpstream, json, startFakeUpstream } from '../support/fake-upstream.ts'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../support/server-process.ts'

/** A server under load and under change that is killed again and again, and what is there when it comes back. */

/** When each life ends, within so many milliseconds of the load's begin. */
const lives = [
  [50, 500],
  [1_500, 2_500],
  [2_500, 3_500],
  [200, 1_200],
  [2_000, 3_000],
] as const
const callers = ['anna', 'ben', 'cleo']
const tokensPerCall = 15
const limit = 60_000_000
const flushEveryMs = 1_000

let upstream: FakeUpstream
let ponto: ServerProcess
let folder: string
let resourceKey: string
/** What the server said when it was told, or said last; `undefined` for what was deleted. By path. */
const told = new Map<string, View | undefined>()
/** Changes without an answer: which path, and to what. */
let open = new Map<string, Target>()
/** Of named keys that the server has answered for. */
const secrets = new Map<string, string>()
let calls: Call[] = []
let killedAt = Number.POSITIVE_INFINITY

type View = Pick<DeploymentView & NamedKeyView, 'etag' | 'createdAt' | 'updatedAt'> & Readonly<Record<string, unknown>>
type Target = 'gone' | 'revoked' | number
type Call = { readonly key: string; readonly sentAt: number; answeredAt: number; status: number }

beforeAll(async () => {
  upstream = await startFakeUpstream()
  upstream.script(
    json({
      choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: tokensPerCall },
    }),
  )
  folder = makeTempFolder()
  const declared = { name: 'declared', ...deploymentOf(0), backends: [{ url: `${upstream.url}/v1` }] }
  writeFileSync(join(folder, 'ponto.yaml'), JSON.stringify({ deployments: [declared] }))
  await start()
})
afterAll(async () => {
  await ponto?.stop('SIGKILL')
  await upstream?.stop()
  removeFolder(folder)
})

async function start(): Promise<void> {
  ponto = await startServer({ dataFolder: join(folder, 'data'), args: ['--config', join(folder, 'ponto.yaml')] })
}

/** A document that says its number all over, so that half of it would be seen. */
function deploymentOf(generation: number) {
  return {
    model: { name: 'm', version: `v${generation}` },
    rateLimits: [{ key: 'token', renewalPeriod: 60, count: limit + generation }],
    price: { inputPerMillion: generation, outputPerMillion: generation },
    backends: [
      { url: `${upstream.url}/v1`, model: `first-${generation}`, credential: { value: `secret-${generation}` } },
      { url: `${upstream.url}/v1`, model: `second-${generation}`, priority: 1 },
    ],
  }
}

const keyOf = (generation: number) => ({
  owner: `owner ${generation}`,
  budgets: [
    { unit: 'tokens', period: 'day', limit: 1e12 + generation },
    { unit: 'tokens', period: 'month', limit: 1e12 + generation },
    { unit: 'cost', period: 'month', limit: 1e6 + generation },
  ],
})

/** What a whole document of that number is shown as, whatever its times and etag. */
function shownOf(path: string, target: number) {
  const name = path.split('/')[1]
  if (path.startsWith('named-keys/')) return { name, ...keyOf(target), status: 'active' }
  const { backends, model, ...rest } = deploymentOf(target)
  const shown = backends.map((backend) => ({ ...backend, ...(backend.credential && { credential: { stored: true } }) }))
  const effectiveLimits = { kind: 'rate', rateLimits: rest.rateLimits }
  return { name, ...rest, model, servedVersion: model.version, effectiveLimits, backends: shown }
}

/** Sends a change and keeps book of it; false when no answer came. */
async function change(path: string, target: Target): Promise<boolean> {
  open.set(path, target)
  const body = path.startsWith('named-keys/') ? keyOf : deploymentOf
  const answer = await (target === 'gone'
    ? manage(path, 'DELETE')
    : target === 'revoked'
      ? manage(`${path}/revoke`, 'POST')
      : manage(path, 'PUT', body(target))
  ).catch(() => undefined)
  if (!answer) return false
  expect(answer.status, `${path} ${target}: ${answer.text}`).toBeOneOf([200, 201, 204])
  const { secret, ...view } = answer.text === '' ? {} : JSON.parse(answer.text)
  if (secret) secrets.set(path, secret)
  told.set(path, target === 'gone' ? undefined : view)
  open.delete(path)
  return true
}

async function manage(path: string, method = 'GET', body?: unknown) {
  const credential = readFileSync(join(ponto.dataFolder, 'management.key'), 'utf8').trim()
  const response = await fetch(`${ponto.httpUrl}/management/${path}`, {
    method,
    headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text() }
}

async function read<T>(path: string): Promise<T[]> {
  const { status, text } = await manage(path)
  expect([status, path, text]).toEqual([200, path, expect.any(String)])
  return JSON.parse(text).value
}

function ask(secret: string, model: string): Promise<Response> {
  return fetch(`${ponto.httpUrl}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'api-key': secret },
    body: JSON.stringify({ model, max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] }),
  })
}

/** A call that is kept book of. Without an answer its status is 0. */
async function call(key: string, model: string): Promise<Response | undefined> {
  const entry: Call = { key, sentAt: performance.now(), answeredAt: Number.POSITIVE_INFINITY, status: 0 }
  calls.push(entry)
  try {
    const response = await ask(secrets.get(`named-keys/${key}`) as string, model)
    await response.arrayBuffer()
    entry.status = response.status
    entry.answeredAt = performance.now()
    return response
  } catch {
    return undefined
  }
}

/** Calls and changes without an end, until the server is killed in the middle of them. */
async function loadAndKill(round: number, afterMs: number): Promise<void> {
  killedAt = Number.POSITIVE_INFINITY
  const isUp = () => killedAt === Number.POSITIVE_INFINITY
  const models = ['declared', 'kept', 'changing']
  const calling = Array.from({ length: 6 }, async (_, i) => {
    for (let n = i; isUp(); n++) await call(callers[i % callers.length] as string, models[n % models.length] as string)
  })
  const changing = [
    async (n: number) => change('deployments/changing', round * 100_000 + n),
    async (n: number) => change('named-keys/changing', round * 100_000 + n),
    // Every third one goes again.
    async (n: number) =>
      (await change(`deployments/made-${round}-${n}`, n)) &&
      (n % 3 > 0 || (await change(`deployments/made-${round}-${n}`, 'gone'))),
    async (n: number) =>
      (await change(`named-keys/made-${round}-${n}`, n)) &&
      (n % 2 > 0 || (await change(`named-keys/made-${round}-${n}`, 'revoked'))),
  ].map(async (step) => {
    for (let n = 1; isUp(); n++) {
      if (!(await step(n))) return
      // Changes hold the calls up, and these are to be many.
      await Bun.sleep(10)
    }
  })
  const killing = Bun.sleep(afterMs).then(() => {
    killedAt = performance.now()
    return ponto.stop('SIGKILL')
  })
  await Promise.all([...calling, ...changing, killing])
}

/** Deployments and named keys: what was answered is there to the letter, what was under way is there whole or as before. */
async function checkDocuments(): Promise<void> {
  const found = new Map<string, View>()
  for (const kind of ['deployments', 'named-keys']) {
    for (const view of await read<View>(kind)) found.set(`${kind}/${view.name}`, view)
  }
  for (const [path, target] of open) {
    const [before, after] = [told.get(path), found.get(path)]
    // Either it did not happen, or all of it did.
    if (Bun.deepEquals(after, before)) continue
    if (target === 'gone') expect([path, after]).toEqual([path, undefined])
    else if (target === 'revoked') expect(after).toMatchObject({ name: before?.name, status: 'revoked' })
    else expect(after).toMatchObject(shownOf(path, target))
    told.set(path, after)
  }
  open = new Map()
  const expected = [...told].filter(([, view]) => view !== undefined)
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected) as Record<string, View>)
}

/** Usage by key, and that budgets have spent what it says. */
async function readUsage(from: number): Promise<Map<string, number>> {
  const since = (ms: number, more = '') =>
    read<UsageView>(`usage?from=${new Date(ms).toISOString()}&groupBy=key${more}`)
  const tokensOf = ({ promptTokens, completionTokens }: UsageView) => promptTokens + completionTokens
  const today = new Date()
  const [year, month, date] = [today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate()]
  const periods = {
    day: await since(Date.UTC(year, month, date)),
    month: await since(Date.UTC(year, month)),
  }
  const budgets = await read<BudgetView>('budgets')
  for (const { key, unit, period, spent } of budgets.filter(({ key }) => callers.includes(key))) {
    const row = periods[period].find((usage) => usage.key === key)
    const used = row === undefined ? 0 : unit === 'tokens' ? tokensOf(row) : row.cost
    expect([key, unit, period, spent]).toEqual([key, unit, period, used])
  }
  return new Map((await since(from)).map((row) => [row.key as string, tokensOf(row)]))
}

/** What a call that was let through leaves of the window. */
async function remaining(model: string): Promise<number> {
  const response = await call('anna', model)
  expect(response?.status).toBe(200)
  return Number(response?.headers.get('x-ratelimit-remaining-tokens'))
}

/** Keys open what they did: the resource's, and of the named ones those that were not revoked. */
async function checkKeys(): Promise<void> {
  expect((await ask(resourceKey, 'CHANGING')).status).toBe(200)
  const named = [...secrets].filter(([path]) => path.includes('made') || path === 'named-keys/ended')
  for (const [path, secret] of [...named.slice(0, 5), ...named.slice(-20)]) {
    const isActive = told.get(path)?.status === 'active'
    expect([path, (await ask(secret, 'kept')).status]).toEqual([path, isActive ? 200 : 401])
  }
  const made = [...told].filter(([path, view]) => path.startsWith('deployments/made') && view !== undefined)
  for (const [path] of made.slice(-20)) {
    expect([path, (await ask(resourceKey, path.split('/')[1] as string)).status]).toEqual([path, 200])
  }
}

/**
 * The last that has to be stored: a second and a flush before the kill. How long the server took for a flush, or the machine for
 * anything, shows in the calls that had to wait for it.
 */
function storedUntil(): number {
  const slowestMs = Math.max(...calls.map(({ sentAt, answeredAt }) => Math.min(answeredAt, killedAt) - sentAt))
  return killedAt - flushEveryMs - 3 * slowestMs
}

test('kill -9 again and again, under load and changes: what was answered stays, and nothing is there by half', async () => {
  const begunAt = Date.now()
  expect((await manage('deployments/builtin-nano', 'DELETE')).status).toBe(204)
  for (const view of await read<View>('deployments')) told.set(`deployments/${view.name}`, view)
  for (const name of [...callers, 'changing', 'ended']) expect(await change(`named-keys/${name}`, 0)).toBe(true)
  await change('named-keys/ended', 'revoked')
  for (const name of ['kept', 'changing']) expect(await change(`deployments/${name}`, 0)).toBe(true)
  resourceKey = ponto.key
  // No server was here before, so there is nothing that might have been used.
  expect(await remaining('declared')).toBeGreaterThan(limit / 2)

  let used = await readUsage(begunAt)
  let coldWindows = 0
  calls = []
  for (const [round, [least, most]] of lives.entries()) {
    const afterMs = least + Math.random() * (most - least)
    const what = `round ${round}, killed after ${afterMs.toFixed()} ms`
    await loadAndKill(round, afterMs)
    const stored = storedUntil()
    // Those that the kill left without an answer have none.
    expect(new Set(calls.map(({ status }) => status || 200)), what).toEqual(new Set([200]))

    const startedAt = Date.now()
    await start()
    for (const model of ['declared', 'kept']) {
      const left = await remaining(model)
      expect(left).toBeGreaterThan(0)
      // Whoever asks in another minute than the server began in has a whole window, and rightly so.
      if (Math.floor(startedAt / 60_000) !== Math.floor(Date.now() / 60_000)) continue
      expect(left, what).toBeLessThanOrEqual((limit * (1_000 + Date.now() - startedAt)) / 60_000 + 1)
      coldWindows++
    }
    await checkDocuments()
    await checkKeys()

    const before = used
    used = await readUsage(begunAt)
    for (const key of callers) {
      const count = (isSo: (call: Call) => boolean) => calls.filter((one) => one.key === key && isSo(one)).length
      const sinceStart = calls.filter((one) => one.key === key && one.sentAt > killedAt && one.status === 200).length
      const grown = ((used.get(key) ?? 0) - (before.get(key) ?? 0)) / tokensPerCall
      expect(Number.isInteger(grown), what).toBe(true)
      expect(grown, what).toBeLessThanOrEqual(count(() => true))
      expect(grown, what).toBeGreaterThanOrEqual(count(({ answeredAt }) => answeredAt <= stored) + sinceStart)
    }
    calls = []
  }
  expect(coldWindows).toBeGreaterThan(0)
}, 120_000)
