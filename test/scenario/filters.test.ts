import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { Explanation } from '../../src/core/filter/results.ts'
import {
  makeEngine,
  makeList,
  makePlan,
  makeRemote,
  makeRule,
  makeSide,
} from '../../src/policy/filter/filter.fixture.ts'
import { createFilterPolicy } from '../../src/policy/filter/filter-policy.ts'
import type { FilterPlan } from '../../src/policy/filter/plan.ts'
import { event, type FakeUpstream, sseHead, startFakeUpstream } from '../support/fake-upstream.ts'
import { type Harness, readPayloads, startHarness, testKey } from '../support/harness.ts'
import { sayEverywhere, type Told, usage, writeChunks, writeWhole } from '../support/told-answers.ts'

/** Content filters on whole requests: what callers of every dialect get, and every way round a filter that others have left open. */

let upstream: FakeUpstream
let ponto: Harness
const plans = new Map<string, FilterPlan>()
const noted: { wasFiltered: boolean; explanations: readonly Explanation[] }[] = []
const failures: string[] = []

const narrow = {
  keyName: 'app',
  grant: { deployments: undefined, tokensPerMinute: undefined, requestsPerMinute: undefined, budgets: [] },
  expiresAt: undefined,
}

beforeAll(async () => {
  upstream = await startFakeUpstream()
  ponto = await startHarness({
    callers: { 'named-key-0123456789': narrow },
    policies: [
      createFilterPolicy({
        findPlan: (name) => plans.get(name.toLowerCase()),
        remote: makeRemote(failures),
        onFinding: (_exchange, wasFiltered, explanations) => void noted.push({ wasFiltered, explanations }),
        decodeTokens: async (inputs) => inputs.map((ids) => (ids[0] === 7 ? 'grumbel wuffels' : 'fine')),
      }),
    ],
  })
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
})

const openai = () => [{ url: `${upstream.url}/v1` }]

beforeEach(() => {
  upstream.requests.length = 0
  noted.length = 0
  failures.length = 0
  plans.clear()
  plans.set(
    'lists',
    makePlan({ policy: 'lists', completion: makeSide({ blocklists: [makeList('secret', ['tangerine'])] }) }),
  )
  plans.set('words', makePlan({ policy: 'words' }))
  plans.set('hidden', makePlan({ policy: 'hidden', isSelectable: false }))
  const anthropic = { url: `${upstream.url}/anthropic/`, protocol: 'anthropic' } as const
  ponto.deploy(
    { name: 'gpt', model: { name: 'gpt-4o' }, raiPolicyName: 'lists', backends: openai() },
    { name: 'words', model: { name: 'gpt-4o' }, raiPolicyName: 'words', backends: openai() },
    { name: 'free', model: { name: 'gpt-4o' }, raiPolicyName: 'none', backends: openai() },
    { name: 'claude', model: { name: 'claude-x' }, raiPolicyName: 'lists', backends: [anthropic] },
    {
      name: 'responder',
      model: { name: 'gpt-4o' },
      raiPolicyName: 'lists',
      backends: [{ url: `${upstream.url}/v1`, chatApis: ['responses'] }],
    },
  )
})

const say = (told: Told): void => sayEverywhere(upstream, told)

const hello = [{ role: 'user', content: 'hello' }]
const v = 'api-version=2024-10-21'

/** Every dialect that is spoken to us, and the request it makes. */
const dialects: Record<string, { path: string; body: object; hasTools: boolean; end: RegExp }> = {
  'Azure OpenAI, dated': {
    path: `/openai/deployments/gpt/chat/completions?${v}`,
    body: { messages: hello },
    hasTools: true,
    end: /content_filter/,
  },
  'OpenAI v1': {
    path: '/openai/v1/chat/completions',
    body: { model: 'gpt', messages: hello },
    hasTools: true,
    end: /content_filter/,
  },
  'model inference': {
    path: `/models/chat/completions?api-version=2024-05-01-preview`,
    body: { model: 'gpt', messages: hello },
    hasTools: true,
    end: /content_filter/,
  },
  'at the root': {
    path: `/chat/completions?api-version=2024-05-01-preview`,
    body: { model: 'gpt', messages: hello },
    hasTools: true,
    end: /content_filter/,
  },
  completions: {
    path: `/openai/deployments/gpt/completions?${v}`,
    body: { prompt: 'hello' },
    hasTools: false,
    end: /content_filter/,
  },
  'Messages, another upstream': {
    path: '/anthropic/v1/messages',
    body: { model: 'gpt', max_tokens: 50, messages: hello },
    hasTools: true,
    end: /refusal/,
  },
  'Messages at both ends': {
    path: '/anthropic/v1/messages',
    body: { model: 'claude', max_tokens: 50, messages: hello },
    hasTools: true,
    end: /refusal/,
  },
  'responses, another upstream': {
    path: '/openai/v1/responses',
    body: { model: 'gpt', input: 'hello', reasoning: { summary: 'auto' } },
    hasTools: true,
    end: /content_filter/,
  },
  'responses at both ends': {
    path: '/openai/v1/responses',
    body: { model: 'responder', input: 'hello' },
    hasTools: true,
    end: /content_filter/,
  },
  'dated, responses upstream': {
    path: `/openai/deployments/responder/chat/completions?${v}`,
    body: { messages: hello },
    hasTools: true,
    end: /content_filter/,
  },
  'Messages, responses upstream': {
    path: '/anthropic/v1/messages',
    body: { model: 'responder', max_tokens: 50, messages: hello },
    hasTools: true,
    end: /refusal/,
  },
  'dated, Messages upstream': {
    path: `/openai/deployments/claude/chat/completions?${v}`,
    body: { messages: hello },
    hasTools: true,
    end: /content_filter/,
  },
}

/** The inference API has `n` for an extra parameter. */
const key = { 'api-key': testKey, 'x-api-key': testKey, 'extra-parameters': 'pass-through' }

/** All texts of an answer, put together as a client would. */
function textsOf(raw: string): string {
  const payloads = raw.startsWith('{')
    ? [raw]
    : raw
        .split('\n')
        .filter((line) => line.startsWith('data: {'))
        .map((line) => line.slice(6))
  const lanes = new Map<string, string>()
  const walk = (value: unknown, path: string): void => {
    if (typeof value === 'string') lanes.set(path, (lanes.get(path) ?? '') + value)
    else if (value && typeof value === 'object')
      for (const [name, inner] of Object.entries(value)) walk(inner, `${path}.${name}`)
  }
  for (const payload of payloads) {
    // Arguments are JSON within JSON.
    walk(JSON.parse(payload), '')
  }
  return [...lanes.values()]
    .join('\n')
    .replace(/\\u([0-9a-f]{4})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
}

const ways: Record<string, { told: Told; body?: object; needs?: 'tools' | 'chat' | 'choices' }> = {
  'in one piece': { told: { text: ['I like a tangerine.'] } },
  'across two pieces': { told: { text: ['I like a tang', 'erine.'] } },
  'a letter at a time': { told: { text: [...'I like a tangerine.'] } },
  'behind a long text, where windows are cut': { told: { text: ['word '.repeat(1_999), 'word tang', 'erine'] } },
  'with invisible characters within': { told: { text: ['a tan\u200bger', '\u00adine'] } },
  'in other letters that look the same': { told: { text: ['a t\u0430nger\u0456ne'] } },
  'in reasoning': { told: { text: ['Fine.'], reasoning: ['a tanger', 'ine'] }, needs: 'chat' },
  'in a refusal': { told: { text: [], refusal: ['No tanger', 'ine'] }, needs: 'chat' },
  'in a second choice': { told: { text: ['Fine.'], second: ['a tanger', 'ine'] }, body: { n: 2 }, needs: 'choices' },
  'in the arguments of a tool': { told: { args: ['{"fruit":"tan', 'gerine"}'] }, needs: 'tools' },
  'in arguments, escaped': { told: { args: ['{"fruit":"t\\u0061nge', 'r\\u0069ne"}'] }, needs: 'tools' },
  'as the name of a tool': { told: { args: ['{}'], tool: 'tangerine' }, needs: 'tools' },
}

describe('no way round', () => {
  for (const [dialect, { path, body, hasTools, end }] of Object.entries(dialects)) {
    const speaksChat = !path.includes('/completions?') || path.includes('/chat/')
    const isMessages = path.includes('/messages')
    for (const [way, { told, body: more, needs }] of Object.entries(ways)) {
      if (needs === 'tools' && !hasTools) continue
      if (needs === 'chat' && (!speaksChat || isMessages || path.includes('claude'))) continue
      if (needs === 'choices' && (isMessages || /claude|respon/.test(path))) continue
      for (const stream of [false, true]) {
        test(`${dialect}, ${stream ? 'streamed' : 'whole'}: ${way}`, async () => {
          say(told)
          const tools = needs === 'tools' ? toolsFor(path) : {}
          const response = await ponto.post(path, { ...body, ...more, ...tools, stream }, key)
          const raw = await response.text()
          expect(response.status).toBe(200)
          expect(textsOf(raw)).not.toMatch(/t[a\u0430]ng|gerine|like a t/)
          expect(raw).toMatch(end)
          // Told once, however much the upstream goes on.
          expect(raw.match(/"(finish_reason|stop_reason|reason)":"(content_filter|refusal)"/g)).toHaveLength(1)
          expect(noted.some(({ wasFiltered }) => wasFiltered)).toBe(true)
        })
      }
    }
  }
})

function toolsFor(path: string): object {
  const schema = { type: 'object', properties: { fruit: { type: 'string' } } }
  if (path.includes('/messages')) return { tools: [{ name: 'eat', input_schema: schema }] }
  if (path.includes('/responses')) return { tools: [{ type: 'function', name: 'eat', parameters: schema }] }
  return { tools: [{ type: 'function', function: { name: 'eat', parameters: schema } }] }
}

describe('a prompt that is kept back', () => {
  const bad = [{ role: 'user', content: 'grumbel wuffels' }]

  test('is refused as the service does, streamed or not, and no model sees it', async () => {
    for (const stream of [false, true]) {
      const response = await ponto.post(`/openai/deployments/words/chat/completions?${v}`, { messages: bad, stream })
      expect(response.status).toBe(400)
      expect(response.headers.get('retry-after')).toBeNull()
      expect(response.headers.get('x-content-filter-engine')).toBe('fake/1')
      const { error } = (await response.json()) as { error: Record<string, unknown> }
      expect(error).toMatchObject({
        code: 'content_filter',
        param: 'prompt',
        status: 400,
        type: null,
        innererror: {
          code: 'ResponsibleAIPolicyViolation',
          content_filter_result: {
            hate: { filtered: true, severity: 'high' },
            jailbreak: { detected: false, filtered: false },
          },
        },
      })
      expect(JSON.stringify(error)).not.toContain('fake/hate')
    }
    expect(upstream.requests).toHaveLength(0)
    expect(noted).toHaveLength(2)
  })

  test('is refused wherever it stands in the newest message, and not for what came before it', async () => {
    say({ text: ['Fine.'] })
    const parts = [
      { type: 'text', text: 'grumbel wuf' },
      { type: 'text', text: 'fels' },
    ]
    const ask = (messages: object[]) => ponto.post(`/openai/deployments/words/chat/completions?${v}`, { messages })
    expect((await ask([{ role: 'user', content: parts }])).status).toBe(400)
    expect((await ask([...bad, { role: 'assistant', content: 'No.' }, ...hello])).status).toBe(200)
  })

  test('of token ids is read too', async () => {
    say({ text: ['Fine.'] })
    const ask = (prompt: unknown) => ponto.post(`/openai/deployments/words/completions?${v}`, { prompt })
    expect((await ask([7, 8])).status).toBe(400)
    expect((await ask([[1, 2], [7]])).status).toBe(400)
    expect((await ask([1, 2])).status).toBe(200)
  })

  test('tells why to a key of the resource that asks, and to nobody else', async () => {
    const ask = async (apiKey: string, headers: Record<string, string> = {}) => {
      const response = await ponto.post(
        `/openai/deployments/words/chat/completions?${v}`,
        { messages: bad },
        { 'api-key': apiKey, ...headers },
      )
      return response.text()
    }
    const explain = { 'x-content-filter-explain': 'true' }
    expect(await ask(testKey, explain)).toContain('fake/hate')
    expect(await ask(testKey)).not.toContain('fake/hate')
    expect(await ask('named-key-0123456789', explain)).not.toContain('fake/hate')
  })

  test('by a policy that the call chooses; one that cannot be chosen is refused', async () => {
    say({ text: ['Fine.'] })
    const ask = (policy: string) =>
      ponto.post(
        `/openai/deployments/free/chat/completions?${v}`,
        { messages: bad },
        { 'api-key': testKey, 'x-policy-id': policy },
      )
    expect((await ask('WORDS')).status).toBe(400)
    for (const policy of ['hidden', 'nowhere']) {
      const response = await ask(policy)
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { code: 'InvalidContentFilterPolicy' } })
    }
  })
})

describe('what callers read', () => {
  test('annotations of prompt and answer, whole', async () => {
    say({ text: ['A grumbel cat.'] })
    const response = await ponto.post(`/openai/deployments/words/chat/completions?${v}`, { messages: hello })
    expect(await response.json()).toMatchObject({
      prompt_filter_results: [
        {
          prompt_index: 0,
          content_filter_results: {
            hate: { filtered: false, severity: 'safe' },
            jailbreak: { detected: false, filtered: false },
          },
        },
      ],
      choices: [
        {
          content_filter_results: { hate: { filtered: false, severity: 'low' } },
          message: { content: 'A grumbel cat.' },
        },
      ],
      usage,
    })
  })

  test('annotations streamed: the prompt first, then with every chunk, and usage if asked', async () => {
    say({ text: ['A ', 'cat.'] })
    const response = await ponto.post(`/openai/deployments/words/chat/completions?${v}`, {
      messages: hello,
      stream: true,
      stream_options: { include_usage: true },
    })
    const payloads = await readPayloads(response)
    const events = payloads.slice(0, -1).map((payload) => JSON.parse(payload))
    expect(events[0]).toMatchObject({ choices: [], id: '', prompt_filter_results: [{ prompt_index: 0 }] })
    const spoken = events.filter(({ choices }) => choices[0]?.delta?.content)
    expect(spoken.map(({ choices }) => choices[0].content_filter_results)).toEqual([
      { hate: { filtered: false, severity: 'safe' } },
      { hate: { filtered: false, severity: 'safe' } },
    ])
    expect(events.at(-1)).toMatchObject({ choices: [], usage })
    expect(payloads.at(-1)).toBe('[DONE]')
  })

  test('a deployment without a policy is passed on as it is', async () => {
    say({ text: ['A tangerine.'] })
    const response = await ponto.post(`/openai/deployments/free/chat/completions?${v}`, { messages: hello })
    expect(await response.json()).toEqual(writeWhole({ text: ['A tangerine.'] }, true))
    expect(response.headers.get('x-content-filter-engine')).toBeNull()
  })

  test('the first word before the upstream has ended', async () => {
    let finish = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const [first, ...others] = writeChunks({ text: ['Once ', 'upon'] }, true)
    upstream.respond(() => [
      sseHead,
      event(first),
      event(others[0]),
      { do: 'until', promise: finished },
      ...others.slice(1).map(event),
      { do: 'end' },
    ])
    const response = await ponto.post(`/openai/deployments/gpt/chat/completions?${v}`, {
      messages: hello,
      stream: true,
    })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    let seen = ''
    while (!seen.includes('Once ')) seen += new TextDecoder().decode((await reader.read()).value)
    finish()
    while (!(await reader.read()).done);
  })
})

describe('guards beside the model', () => {
  const guardPlan = (own: Partial<FilterPlan> = {}, engine = makeEngine({ delayMs: 20 })) =>
    makePlan({
      policy: 'guarded',
      prompt: makeSide({ rules: [makeRule('violence', { usesBuiltin: false, engines: [engine] })] }),
      completion: makeSide(),
      ...own,
    })
  const deploy = (plan: FilterPlan) => {
    plans.set('guarded', plan)
    ponto.deploy({ name: 'guarded', model: { name: 'gpt-4o' }, raiPolicyName: 'guarded', backends: openai() })
  }
  const ask = (content: string, stream = false) =>
    ponto.post(`/openai/deployments/guarded/chat/completions?${v}`, { messages: [{ role: 'user', content }], stream })

  test('the model works while the prompt is judged; nothing goes out before the verdict, and then it stops', async () => {
    deploy(guardPlan())
    upstream.respond(() => [
      sseHead,
      ...writeChunks({ text: ['Secret.'] }, true)
        .slice(0, 2)
        .map(event),
      { do: 'stall' },
    ])
    const response = await ask('a wicked thing', true)
    expect(response.status).toBe(400)
    expect(await response.text()).not.toContain('Secret')
    expect(upstream.requests).toHaveLength(1)
    expect(await upstream.requests[0]?.finished).toBe(false)
  })

  test('or is only asked after it', async () => {
    deploy(guardPlan({ promptCheck: 'first' }))
    expect((await ask('a wicked thing')).status).toBe(400)
    expect(upstream.requests).toHaveLength(0)
  })

  test('the same prompt is judged once', async () => {
    const engine = makeEngine()
    deploy(guardPlan({}, engine))
    say({ text: ['Fine.'] })
    for (let i = 0; i < 3; i++) expect((await ask('a good thing')).status).toBe(200)
    expect(engine.asked).toHaveLength(1)
  })

  test('one that is down: let through and told, or refused, as the policy says', async () => {
    const down = () => makeEngine({ answer: () => Promise.reject(new Error('down')) })
    say({ text: ['Fine.'] })
    deploy(guardPlan({}, down()))
    const open = await ask('a wicked thing')
    expect(open.status).toBe(200)
    expect(await open.json()).toMatchObject({
      prompt_filter_results: [
        {
          content_filter_results: { error: { code: 'content_filter_error', message: 'The contents are not filtered' } },
        },
      ],
    })
    const rule = makeRule('violence', { usesBuiltin: false, engines: [down()], onError: 'closed' })
    deploy(guardPlan({ prompt: makeSide({ rules: [rule] }) }))
    const closed = await ask('a wicked thing')
    expect(closed.status).toBe(503)
    expect(await closed.text()).toContain('violence')
  })

  test('one that fails again and again is left alone for a while', async () => {
    const engine = makeEngine({ answer: () => Promise.reject(new Error('down')) })
    deploy(guardPlan({}, engine))
    say({ text: ['Fine.'] })
    for (let i = 0; i < 8; i++) await ask(`thing ${i}`)
    expect(engine.asked).toHaveLength(5)
  })
})
