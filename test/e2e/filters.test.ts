import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { FilterCategory } from '../../src/core/filter/categories.ts'
import type { JsonObject } from '../../src/core/json.ts'
import {
  type FakeUpstream,
  json,
  type SeenRequest,
  type Step,
  sse,
  startFakeUpstream,
} from '../support/fake-upstream.ts'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../support/server-process.ts'

/** Content filters of the whole server: as it comes, by command line and by file, with engines of every sort, and what is told of them. */

let folder: string
let upstream: FakeUpstream
const running: ServerProcess[] = []

beforeEach(async () => {
  folder = makeTempFolder()
  upstream = await startFakeUpstream()
  upstream.respond(answerAsModel)
})
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop('SIGKILL')
  await upstream.stop()
  removeFolder(folder)
})

async function start(args: readonly string[] = [], env: Record<string, string> = {}): Promise<ServerProcess> {
  const server = await startServer({ dataFolder: join(folder, 'data'), args, env })
  running.push(server)
  return server
}

/** A server whose configuration file has these sections. */
function startWith(config: object, env: Record<string, string> = {}): Promise<ServerProcess> {
  const file = join(folder, 'ponto.yaml')
  writeFileSync(file, JSON.stringify(config))
  return start(['--config', file, '--log-level', 'debug'], env)
}

type Asked = { readonly model: string; readonly messages: readonly { readonly content: string }[] }

/** Repeats what it is asked. Guard models find what they are to find by words. */
function answerAsModel({ body }: SeenRequest): readonly Step[] {
  const { model, messages } = JSON.parse(body) as Asked
  const text = messages.at(-1)?.content ?? ''
  const isBad = text.includes('frumious')
  if (model === 'llama-guard') return say(isBad ? '\n\nunsafe\nS10' : '\n\nsafe')
  if (model === 'judge') return say(JSON.stringify({ hate: isBad ? 6 : 0 }))
  if (model === 'talkative') return say('I see nothing wrong with it.')
  if (model === 'broken') return json({ error: { message: `cannot judge: ${text}` } }, 500)
  return say(text, JSON.parse(body).stream)
}

function say(content: string, isStream = false): readonly Step[] {
  if (!isStream) {
    return json({ choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }] })
  }
  const chunk = (delta: object, finish_reason: string | null) => ({ choices: [{ index: 0, delta, finish_reason }] })
  const pieces = content.match(/.{1,4}/gsu) ?? []
  return sse(
    chunk({ role: 'assistant', content: '' }, null),
    ...pieces.map((piece) => chunk({ content: piece }, null)),
    chunk({}, 'stop'),
  )
}

const relay = (name: string, more: object = {}) => ({
  name,
  model: { name: 'gpt-4o' },
  backends: [{ url: `${upstream.url}/v1`, model: 'plain' }],
  ...more,
})

async function ask(server: ServerProcess, model: string, content: string, more: object = {}, headers = {}) {
  const response = await fetch(`${server.httpUrl}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'api-key': server.key, ...headers },
    body: JSON.stringify({ model, max_tokens: 8, messages: [{ role: 'user', content }], ...more }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text }
}

type Answer = Awaited<ReturnType<typeof ask>>

/** What the refusal of a prompt says of a category. */
function refusalOf({ status, text }: Answer, category: FilterCategory): unknown {
  expect(status).toBe(400)
  const { error } = JSON.parse(text)
  expect(error.code).toBe('content_filter')
  return error.innererror.content_filter_result[category]
}

const choiceOf = ({ text }: Answer) => JSON.parse(text).choices[0]
const promptOf = ({ text }: Answer) => JSON.parse(text).prompt_filter_results[0].content_filter_results

async function run(server: ServerProcess, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await server.run(args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) })
  return stdout
}

/** Texts that people have labelled, in clear words for the most part. */
type EvalLine = { readonly text: string; readonly labels: { readonly [category in FilterCategory]?: string | boolean } }
const evalFile = resolve(import.meta.dir, '../../models/safety/eval/dev.jsonl')
const evalLines: readonly EvalLine[] = readFileSync(evalFile, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line))

describe('as it comes, with the built-in model', () => {
  let data: string
  let ponto: ServerProcess

  beforeAll(async () => {
    data = makeTempFolder()
    ponto = await startServer({ dataFolder: data })
    await run(ponto, 'deployment', 'create', 'Mistral-large', '--model', 'builtin-nano')
  })
  afterAll(async () => {
    await ponto.stop()
    removeFolder(data)
  })

  test.each(['hate', 'sexual', 'violence', 'self_harm'] as const)(
    'a prompt in clear words is kept back: %s',
    async (category) => {
      const line = evalLines.find(({ labels }) => labels[category] === 'high') as EvalLine
      const refused = await ask(ponto, 'mistral-large', line.text)
      expect(refusalOf(refused, category)).toEqual({
        filtered: true,
        severity: expect.stringMatching(/^(medium|high)$/),
      })
      expect(refused.headers.get('x-content-filter-engine')).toMatch(/^builtin\//)
      expect(refusalOf(await ask(ponto, 'mistral-large', line.text, { stream: true }), category)).toBeDefined()
    },
  )

  test('an attack on the model is kept back', async () => {
    const line = evalLines.find(({ labels }) => labels.jailbreak === true) as EvalLine
    expect(refusalOf(await ask(ponto, 'mistral-large', line.text), 'jailbreak')).toEqual({
      detected: true,
      filtered: true,
    })
  })

  test('ordinary prompts go through, annotated as safe', async () => {
    const ordinary = evalLines.filter(({ labels }) => Object.keys(labels).length === 0).slice(0, 12)
    expect(ordinary).toHaveLength(12)
    for (const { text } of ordinary) {
      const answer = await ask(ponto, 'mistral-large', text)
      expect(answer.status, text).toBe(200)
      for (const result of Object.values(promptOf(answer) as JsonObject))
        expect(result).toMatchObject({ filtered: false })
      expect(choiceOf(answer).content_filter_results.hate).toEqual({ filtered: false, severity: 'safe' })
    }
  })

  test('another policy of the server itself', async () => {
    const line = evalLines.find(({ labels }) => labels.violence === 'high') as EvalLine
    const unfiltered = await start(['--rai-policy', 'Microsoft.Nil'])
    await run(unfiltered, 'deployment', 'create', 'Mistral-large', '--model', 'builtin-nano')
    const answer = await ask(unfiltered, 'mistral-large', line.text)
    expect(answer.status).toBe(200)
    expect(answer.text).not.toContain('content_filter')
    await unfiltered.stop()
    const wrong = await start(['--rai-policy', 'nothing-like-it']).catch((error: Error) => error.message)
    expect(wrong).toContain('nothing-like-it')
    expect(wrong).toContain('Microsoft.DefaultV2')
  })
})

describe('by command line', () => {
  const listed = { details: [{ id: 'words', filtered: true }], filtered: true }
  const isKeptBack = async (server: ServerProcess, text: string) =>
    (await ask(server, 'guarded', text).then((answer) => answer.status)) === 400

  test('policy and blocklist take effect at once, and are there after a restart and after kill -9', async () => {
    let server = await start()
    await run(server, 'deployment', 'create', 'Guarded', '--model', 'gpt-4o', '--backend', `${upstream.url}/v1`)
    expect(await isKeptBack(server, 'a quibblefish')).toBe(false)
    await run(server, 'filter', 'blocklist', 'create', 'words', '--term', 'quibblefish')
    await run(server, 'filter', 'policy', 'create', 'strict', '--blocklist', 'words:Prompt')
    await run(server, 'deployment', 'update', 'Guarded', '--rai-policy', 'strict')
    expect(refusalOf(await ask(server, 'guarded', 'a quibblefish'), 'custom_blocklists')).toEqual(listed)
    expect(await isKeptBack(server, 'a zanzibarium')).toBe(false)

    await run(server, 'filter', 'blocklist', 'add', 'words', 'zanzibarium')
    expect(await isKeptBack(server, 'a zanzibarium')).toBe(true)
    await run(server, 'filter', 'blocklist', 'add', 'words', '--regex', 'EMP-[0-9]{6}')
    expect(await isKeptBack(server, 'badge EMP-123456')).toBe(true)
    await run(server, 'filter', 'blocklist', 'remove', 'words', 'quibblefish')
    expect(await isKeptBack(server, 'a quibblefish')).toBe(false)

    expect(await server.stop()).toBe(0)
    server = await start()
    expect(await isKeptBack(server, 'a zanzibarium')).toBe(true)
    await run(server, 'filter', 'blocklist', 'add', 'words', 'frabjous')
    // The answer of a change comes after what it changed has been written.
    await server.stop('SIGKILL')
    server = await start()
    expect(refusalOf(await ask(server, 'guarded', 'a frabjous day'), 'custom_blocklists')).toEqual(listed)
    expect([await isKeptBack(server, 'badge EMP-123456'), await isKeptBack(server, 'a quibblefish')]).toEqual([
      true,
      false,
    ])
  }, 60_000)

  test('a change of a policy is for the next call, and what is in use stays', async () => {
    const server = await start()
    await run(server, 'filter', 'blocklist', 'create', 'words', '--term', 'quibblefish')
    await run(server, 'filter', 'policy', 'create', 'strict', '--blocklist', 'words')
    const made = ['deployment', 'create', 'Guarded', '--model', 'gpt-4o', '--backend', `${upstream.url}/v1`]
    await run(server, ...made, '--rai-policy', 'STRICT')
    for (const [args, reason] of [
      [['filter', 'policy', 'delete', 'strict'], 'Guarded'],
      [['filter', 'blocklist', 'delete', 'words', '--yes'], 'strict'],
    ] as const) {
      const refused = await server.run(args)
      expect(refused.code).not.toBe(0)
      expect(refused.stderr).toContain(reason)
    }
    expect(await isKeptBack(server, 'a quibblefish')).toBe(true)
    await run(server, 'filter', 'policy', 'update', 'strict', '--remove-blocklist', 'words')
    const answer = await ask(server, 'guarded', 'a quibblefish')
    expect([answer.status, choiceOf(answer).message.content]).toEqual([200, 'a quibblefish'])
    await run(server, 'filter', 'blocklist', 'delete', 'words', '--yes')
    await run(server, 'deployment', 'update', 'Guarded', '--no-rai-policy')
    await run(server, 'filter', 'policy', 'delete', 'strict')
  })

  test('what cannot be is refused, and says what could', async () => {
    const server = await start()
    const fails = async (...args: readonly string[]) => {
      const { code, stderr } = await server.run(args)
      expect(code).not.toBe(0)
      return stderr
    }
    expect(await fails('filter', 'policy', 'create', 'p', '--filter', 'rudeness:Low')).toContain('self_harm')
    expect(await fails('filter', 'policy', 'create', 'p', '--blocklist', 'none')).toContain('none')
    expect(await fails('filter', 'policy', 'create', 'p', '--filter', 'hate', '--engine', 'none')).toContain('builtin')
    const made = ['deployment', 'create', 'x1', '--model', 'm', '--backend', `${upstream.url}/v1`]
    expect(await fails(...made, '--rai-policy', 'none')).toContain('Microsoft.DefaultV2')
    await run(server, 'filter', 'blocklist', 'create', 'words')
    const slow = await fails('filter', 'blocklist', 'add', 'words', '--regex', '(a)\\1')
    expect(slow).toMatch(/cannot be used/)
  })
})

describe('by file', () => {
  const config = (terms: readonly string[]) => ({
    raiBlocklists: [{ name: 'words', terms }],
    raiPolicies: [
      { name: 'strict', customBlocklists: [{ blocklistName: 'words', source: 'Completion' }] },
      { name: 'noting', basePolicyName: 'Microsoft.Nil', mode: 'Asynchronous_filter' },
    ],
    deployments: [relay('Guarded', { raiPolicyName: 'strict' }), relay('Free', { raiPolicyName: 'Microsoft.Nil' })],
  })

  test('sections are in effect from the start, and so are changes of them', async () => {
    const server = await startWith(config(['quibblefish']))
    const kept = await ask(server, 'guarded', 'a quibblefish')
    expect(choiceOf(kept)).toMatchObject({ finish_reason: 'content_filter', message: { content: null } })
    expect((await ask(server, 'free', 'a quibblefish')).text).not.toContain('content_filter')
    const streamed = await ask(server, 'guarded', 'before quibblefish after', { stream: true })
    expect(streamed.text).toContain('"finish_reason":"content_filter"')
    expect(streamed.text).not.toMatch(/quib|after/)

    writeFileSync(join(folder, 'ponto.yaml'), JSON.stringify(config(['zanzibarium'])))
    let reason = ''
    for (let i = 0; i < 200 && reason !== 'content_filter'; i++) {
      await Bun.sleep(25)
      reason = choiceOf(await ask(server, 'guarded', 'a zanzibarium')).finish_reason
    }
    expect(reason).toBe('content_filter')
    expect(choiceOf(await ask(server, 'guarded', 'a quibblefish')).finish_reason).toBe('stop')
    const { stderr } = await server.run(['filter', 'blocklist', 'add', 'words', 'more'])
    expect(stderr).toContain('ponto.yaml')
  })

  test('a file with a wrong section is refused with the place and what could be there', async () => {
    const { deployments, ...rest } = config([])
    const wrong = { ...rest, deployments: [relay('Guarded', { raiPolicyName: 'strickt' })] }
    const refused = await startWith(wrong).catch((error: Error) => error.message)
    expect(refused).toMatch(/raiPolicyName: got "strickt", expected one of .*"strict"/)
  })
})

describe('what is told', () => {
  test('a text that is kept back is nowhere in the log, nor is what a rule looks for', async () => {
    const server = await startWith({
      raiBlocklists: [{ name: 'words', items: [{ name: 'item-7', pattern: 'quibblefish' }] }],
      raiPolicies: [
        {
          name: 'strict',
          customBlocklists: [
            { blocklistName: 'words', source: 'Prompt' },
            { blocklistName: 'words', source: 'Completion' },
          ],
        },
      ],
      deployments: [relay('Guarded', { raiPolicyName: 'strict' }), relay('Default')],
    })
    const explain = { 'x-content-filter-explain': 'true' }
    const refused = await ask(server, 'guarded', 'planted-4711 quibblefish', {}, explain)
    const [explanation] = JSON.parse(refused.text).error.innererror.explanations
    const span = { at: 'messages[0].content', start: 13, end: 24 }
    expect(explanation).toMatchObject({
      policy: 'strict',
      category: 'custom_blocklists',
      id: 'words',
      rule: 'item-7',
      span,
    })
    expect(refused.text).not.toMatch(/planted|quibble/)
    expect((await ask(server, 'guarded', 'planted-4711 quibblefish')).text).not.toContain('explanations')
    expect((await ask(server, 'default', 'planted-4711: we will kill you and your whole family.')).status).toBe(400)

    const { createdAt: _, ...told } = JSON.parse(await run(server, 'status', '--output', 'json'))
    expect(JSON.stringify(told)).not.toContain('quibble')
    const log = server.errors()
    const kept = log.split('\n').filter((line) => line.includes('content was kept back'))
    expect(kept).toHaveLength(3)
    expect(kept[0]).toContain('item-7')
    expect(log).not.toMatch(/planted|quibble|family/)
  })

  test('the secret of an engine is in no log, error or answer of the management API, whatever the engine says', async () => {
    const secret = 'planted-secret-0815'
    let isDown = false
    upstream.respond((request) => {
      if (!request.path.startsWith('/contentsafety/')) return answerAsModel(request)
      const message = `no: ${secret} ${request.body}`
      if (isDown) return json({ error: { code: 'Unauthorized', message } }, 401, { 'x-echo': secret })
      return json({ blocklistsMatch: [], categoriesAnalysis: [{ category: 'Hate', severity: 0 }] })
    })
    const hate = (source: string, onError: string) => ({ name: 'Hate', source, engines: ['outer'], onError })
    const policy = (name: string, onError: string) => ({
      name,
      basePolicyName: 'Microsoft.Nil',
      contentFilters: [hate('Prompt', onError), hate('Completion', onError)],
    })
    const server = await startWith(
      {
        filterEngines: [
          { name: 'outer', kind: 'azure-content-safety', url: upstream.url, credential: { env: 'PONTO_SECRET_OUTER' } },
        ],
        raiPolicies: [policy('open', 'open'), policy('closed', 'closed')],
        deployments: [relay('Open', { raiPolicyName: 'open' }), relay('Closed', { raiPolicyName: 'closed' })],
      },
      { PONTO_SECRET_OUTER: secret },
    )
    const told: string[] = []
    expect((await ask(server, 'open', 'planted-4711')).status).toBe(200)
    const seen = upstream.requests.filter(({ path }) => path.startsWith('/contentsafety/'))
    expect(seen[0]?.headers['ocp-apim-subscription-key']).toBe(secret)

    isDown = true
    const opened = await ask(server, 'open', 'planted-4712')
    expect(promptOf(opened).error).toMatchObject({ code: 'content_filter_error' })
    const closed = await ask(server, 'closed', 'planted-4712')
    expect([closed.status, JSON.parse(closed.text).error.code]).toEqual([503, 'content_filter_error'])
    told.push(closed.text, opened.headers.get('x-content-filter-engine') ?? '')

    const commands = [
      ['filter', 'engine', 'list', '--output', 'json'],
      ['filter', 'engine', 'show', 'outer', '--output', 'json'],
      ['filter', 'policy', 'list', '--output', 'json'],
      ['status', '--output', 'json'],
    ]
    for (const command of commands) told.push(await run(server, ...command))
    const probe = await server.run(['filter', 'engine', 'show', 'outer', '--probe', '--output', 'json'])
    expect(probe.code).toBe(1)
    told.push(probe.stdout, probe.stderr)

    const stored = ['filter', 'engine', 'create', 'stored', '--kind', 'azure-content-safety', '--url', upstream.url]
    expect(await server.run([...stored, '--credential-stdin'], secret)).toMatchObject({ code: 0 })
    told.push(await run(server, 'filter', 'engine', 'show', 'stored', '--output', 'json'))
    expect(told.join('\n')).toContain('outer')
    expect(told.join('\n')).not.toMatch(/planted-(secret|471)/)
    expect(server.errors()).toContain('a filter engine could not judge')
    expect(server.errors()).not.toMatch(/planted-(secret|471)/)
    for (const entry of readdirSync(server.dataFolder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      expect(readFileSync(join(entry.parentPath, entry.name)).includes(secret), entry.name).toBe(false)
    }
  })
})

describe('a deployment as guard model', () => {
  const guarded = (profile: string, model: string, more: object = {}) => {
    const filter = (source: string) => ({ name: 'Hate', source, engines: ['guard'], ...more })
    return {
      filterEngines: [{ name: 'guard', kind: 'guard', deployment: 'Guard', profile }],
      raiPolicies: [
        { name: 'guarded', basePolicyName: 'Microsoft.Nil', contentFilters: [filter('Prompt'), filter('Completion')] },
        { name: 'answers', basePolicyName: 'Microsoft.Nil', contentFilters: [filter('Completion')] },
      ],
      deployments: [
        // The default policy, which would keep back what a guard model has to read, is not for what filters ask.
        relay('Guard', { backends: [{ url: `${upstream.url}/v1`, model }] }),
        relay('Guarded', { raiPolicyName: 'guarded' }),
        relay('Answers', { raiPolicyName: 'answers' }),
      ],
    }
  }

  test.each([
    ['llama-guard-3', 'llama-guard', 'medium'],
    ['judge', 'judge', 'high'],
  ])('%s judges prompts and answers', async (profile, model, severity) => {
    const server = await startWith(guarded(profile, model))
    const ordinary = await ask(server, 'guarded', 'an ordinary text')
    expect(choiceOf(ordinary)).toMatchObject({ finish_reason: 'stop', message: { content: 'an ordinary text' } })
    expect(ordinary.headers.get('x-content-filter-engine')).toContain(`guard/${profile}`)
    const found = { filtered: true, severity }
    expect(refusalOf(await ask(server, 'guarded', 'a frumious beast'), 'hate')).toEqual(found)

    const kept = choiceOf(await ask(server, 'answers', 'a frumious beast'))
    expect(kept).toMatchObject({ finish_reason: 'content_filter', message: { content: null } })
    expect(kept.content_filter_results.hate).toEqual(found)
    const streamed = await ask(server, 'answers', 'It was there. A frumious beast it was.', { stream: true })
    expect(streamed.text).toContain('"finish_reason":"content_filter"')
    expect(streamed.text).not.toContain('rumi')

    const usage = JSON.parse(await run(server, 'usage', '--by', 'key,deployment', '--output', 'json')) as JsonObject[]
    expect(usage.some(({ key, deployment }) => key === 'filter' && deployment === 'Guard')).toBe(true)
  })

  test('a threat in clear words reaches the guard, not the default policy of its own deployment', async () => {
    const server = await startWith(guarded('llama-guard-3', 'llama-guard'))
    const answer = await ask(server, 'guarded', 'We will kill you and your whole family.')
    expect([answer.status, promptOf(answer).error]).toEqual([200, undefined])
  })

  test.each(['broken', 'talkative'])(
    'one that is %s is told of, and the policy says what happens',
    async (model) => {
      const open = await startWith(guarded('llama-guard-3', model))
      const answer = await ask(open, 'guarded', 'planted-4711')
      expect(choiceOf(answer).message.content).toBe('planted-4711')
      const note = { code: 'content_filter_error', message: expect.any(String) }
      expect([promptOf(answer).error, choiceOf(answer).content_filter_results.error]).toEqual([note, note])
      // The builtin engine judges in its place.
      const { text } = evalLines.find(({ labels }) => labels.hate === 'high') as EvalLine
      expect(refusalOf(await ask(open, 'guarded', text), 'hate')).toMatchObject({ filtered: true })
      await open.stop()
      const closed = await startWith(guarded('llama-guard-3', model, { onError: 'closed' }))
      const refused = await ask(closed, 'guarded', 'planted-4711')
      expect([refused.status, JSON.parse(refused.text).error.code]).toEqual([503, 'content_filter_error'])
      for (const server of [open, closed]) expect(server.errors()).not.toContain('planted')
    },
    30_000,
  )
})
