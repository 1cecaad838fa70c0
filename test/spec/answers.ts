import type { Call } from '../../src/core/call.ts'
import type { Event } from '../../src/core/event.ts'
import { Fault } from '../../src/core/fault.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Backend } from '../../src/core/reply.ts'
import { collectResult } from '../../src/core/result.ts'
import { type Harness, readPayloads } from '../support/harness.ts'
import type { ShapeName } from './shapes.ts'

/** One answer of a route, or one chunk of a stream. `operation` is where the vendors' descriptions have it. */
export type Answer = {
  readonly name: string
  readonly shape: ShapeName
  /** `stored`: the same on both surfaces of Azure OpenAI. */
  readonly surface: 'inference' | 'dated' | 'v1' | 'stored'
  readonly operation: string
  /** POST, or else GET, when absent. */
  readonly method?: 'get' | 'post' | 'delete'
  /** The one API version whose description this answer follows, where they contradict each other. */
  readonly version?: string
  readonly status: number
  readonly isChunk: boolean
  readonly body: JsonObject
}

/** Says a little of everything that an answer can hold: reasoning, text with log probabilities, calls, a refusal. */
export const talkative: Backend = {
  id: 'builtin:talkative',
  kinds: new Set(['chat', 'completion', 'embed']),
  async send(call) {
    if (call.kind === 'embed') {
      const vectors = call.inputs.map(() => Float32Array.of(0.25, -1, 3))
      return { kind: 'whole', result: { kind: 'embed', vectors, usage: { promptTokens: 3, completionTokens: 0 } } }
    }
    if (call.kind !== 'chat' && call.kind !== 'completion') throw new Fault('operation-not-supported', 'no')
    const events = talk(call)
    if (call.stream) return { kind: 'stream', events }
    return { kind: 'whole', result: await collectResult(call.kind, events) }
  },
  probe: async () => ({ ok: true, detail: '' }),
}

async function* talk(call: Extract<Call, { kind: 'chat' | 'completion' }>): AsyncGenerator<Event> {
  if (call.kind === 'chat' && call.seed === 422)
    throw new Fault('unsupported-value', 'no', { param: 'seed', input: 422 })
  yield { type: 'answer-start' }
  const top = [{ token: 'hi', logprob: -0.1, bytes: [104, 105] }]
  const logprobs = call.logprobs && [{ token: 'hi', logprob: -0.1, bytes: [104, 105], top }]
  for (let choice = 0; choice < call.n; choice++) {
    if (call.kind === 'chat') yield { type: 'reasoning-delta', choice, text: 'hm' }
    yield { type: 'text-delta', choice, text: 'hi', logprobs }
    if (call.kind === 'chat' && call.tools) {
      yield { type: 'tool-call-start', choice, index: 0, id: 'call_1', name: 'f' }
      yield { type: 'tool-call-delta', choice, index: 0, arguments: '{}' }
      yield { type: 'choice-end', choice, reason: 'tool_calls' }
    } else {
      const isRefused = call.kind === 'chat' && (choice === 1 || call.messages.at(-1)?.content === 'refuse')
      if (isRefused) yield { type: 'refusal-delta', choice, text: 'no' }
      yield { type: 'choice-end', choice, reason: choice === 0 ? 'stop' : 'length' }
    }
  }
  yield { type: 'usage', usage: { promptTokens: 5, completionTokens: 7, cachedTokens: 1, reasoningTokens: 2 } }
}

const dated = '?api-version=2024-10-21'
const preview = '?api-version=2024-05-01-preview'
const user = { role: 'user', content: 'hi' }
const tools = [{ type: 'function', function: { name: 'f' } }]

/** Every route's answers from a server with the deployments `talker` and `other`. */
export async function collectAnswers(ponto: Harness): Promise<Answer[]> {
  const answers: Answer[] = []
  type Place = { surface: Answer['surface']; operation: string; shape: ShapeName; path: string; version?: string }
  const ask = async (name: string, place: Place, body?: JsonObject): Promise<void> => {
    const { path, ...where } = place
    const response = body ? await ponto.post(path, { model: 'talker', ...body }) : await ponto.get(path)
    const { status } = response
    const base = { name: `${name}: ${path}`, ...where, status }
    if (place.shape === 'event of a response') {
      const events = (await response.text()).split('\n\n').filter(Boolean)
      const bodies = events.map((event) => JSON.parse(event.slice(event.indexOf('\ndata: ') + '\ndata: '.length)))
      answers.push(...bodies.map((event) => ({ ...base, isChunk: true, body: event })))
      return
    }
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
      const payloads = await readPayloads(response)
      if (payloads.pop() !== '[DONE]') throw new Error(`${base.name} does not end with [DONE]`)
      answers.push(...payloads.map((payload) => ({ ...base, isChunk: true, body: JSON.parse(payload) })))
    } else answers.push({ ...base, isChunk: false, body: await response.json() })
  }

  const chats = [
    {
      surface: 'dated',
      path: `/openai/deployments/talker/chat/completions${dated}`,
      operation: '/deployments/{deployment-id}/chat/completions',
      shape: 'chat, Azure OpenAI',
    },
    { surface: 'v1', path: '/openai/v1/chat/completions', operation: '/chat/completions', shape: 'chat, Azure OpenAI' },
    {
      surface: 'inference',
      path: `/models/chat/completions${preview}`,
      operation: '/chat/completions',
      shape: 'chat, inference',
    },
  ] as const
  for (const place of chats) {
    const isInference = place.surface === 'inference'
    const chunk = { ...place, shape: isInference ? 'chat chunk, inference' : 'chat chunk, Azure OpenAI' } as const
    const more: JsonObject = isInference ? {} : { n: 2, logprobs: true, top_logprobs: 1 }
    await ask('plain', place, { messages: [user], ...more })
    await ask('tools', place, { messages: [user], tools })
    await ask('stream', chunk, { messages: [user], stream: true, ...more })
    await ask('stream of tools', chunk, { messages: [user], stream: true, tools })
    if (isInference) continue
    await ask('stream with usage', chunk, { messages: [user], stream: true, stream_options: { include_usage: true } })
    await ask('functions', place, { messages: [user], functions: [{ name: 'f' }] })
    await ask('stream of functions', chunk, { messages: [user], stream: true, functions: [{ name: 'f' }] })
  }

  const responses = [
    { surface: 'dated', path: '/openai/responses?api-version=2025-03-01-preview' },
    { surface: 'v1', path: '/openai/v1/responses' },
    { surface: 'stored', path: '/openai/v1/responses' },
  ] as const
  for (const where of responses) {
    const place = { ...where, operation: '/responses', shape: 'response' } as const
    const events = { ...place, shape: 'event of a response' } as const
    const asked = { input: 'hi', user: 'u', include: ['message.output_text.logprobs'], top_logprobs: 1 }
    const functions = [{ type: 'function', name: 'f', parameters: { type: 'object' }, strict: false }]
    await ask('bare', place, { input: 'hi' })
    await ask('plain', place, { ...asked, reasoning: { effort: 'low', summary: 'auto' }, metadata: { a: 'b' } })
    await ask('functions', place, { ...asked, tools: functions, tool_choice: 'required', instructions: 'Be kind.' })
    await ask('stream', events, { ...asked, stream: true })
    await ask('stream of functions', events, {
      input: 'hi',
      user: 'u',
      tools: functions,
      stream: true,
      reasoning: { summary: 'auto' },
    })
    await ask('refusal', place, { input: 'refuse', user: 'u' })
    await ask('stream of a refusal', events, { input: 'refuse', user: 'u', stream: true })
    await ask('bad field', { ...place, shape: 'error, Azure OpenAI' }, { input: 'hi', temperature: 'hot' })
  }

  const completions = [
    {
      surface: 'dated',
      path: `/openai/deployments/talker/completions${dated}`,
      operation: '/deployments/{deployment-id}/completions',
      shape: 'completion',
    },
    { surface: 'v1', path: '/openai/v1/completions', operation: '/completions', shape: 'completion' },
  ] as const
  for (const place of completions) {
    await ask('plain', place, { prompt: 'hi', n: 2, logprobs: 1 })
    await ask('stream', place, { prompt: 'hi', stream: true, logprobs: 1, stream_options: { include_usage: true } })
  }

  const embeddings = [
    {
      surface: 'dated',
      path: `/openai/deployments/talker/embeddings${dated}`,
      operation: '/deployments/{deployment-id}/embeddings',
      shape: 'embeddings, Azure OpenAI',
    },
    { surface: 'v1', path: '/openai/v1/embeddings', operation: '/embeddings', shape: 'embeddings, Azure OpenAI' },
    {
      surface: 'inference',
      path: `/models/embeddings${preview}`,
      operation: '/embeddings',
      shape: 'embeddings, inference',
    },
  ] as const
  for (const place of embeddings) {
    await ask('numbers', place, { input: ['a', 'b'] })
    await ask('base64', place, { input: 'a', encoding_format: 'base64' })
  }

  for (const version of ['2024-05-01-preview', '2025-04-01', '2025-05-15-preview']) {
    const path = `/models/info?api-version=${version}&model=talker`
    await ask('info', { surface: 'inference', path, operation: '/info', shape: 'info', version })
  }
  await ask('models', { surface: 'v1', path: '/openai/v1/models', operation: '/models', shape: 'models' })
  await ask('a model', {
    surface: 'v1',
    path: '/openai/v1/models/talker',
    operation: '/models/{model}',
    shape: 'model',
  })
  await ask('base models', {
    surface: 'dated',
    path: `/openai/models${dated}`,
    operation: '/models',
    shape: 'base models',
  })
  await ask('deployments', {
    surface: 'dated',
    path: `/openai/deployments${dated}`,
    operation: '/deployments',
    shape: 'deployments',
  })

  for (const place of chats) {
    const shape = place.surface === 'inference' ? 'error, inference' : 'error, Azure OpenAI'
    await ask('bad field', { ...place, shape }, { messages: [user], temperature: 'hot' })
    const unknown = place.surface === 'dated' ? place.path.replace('talker', 'nobody') : place.path
    await ask('unknown model', { ...place, path: unknown, shape }, { model: 'nobody', messages: [user] })
    const unsupported = place.surface === 'inference' ? 'unsupported value, inference' : shape
    await ask('unsupported value', { ...place, shape: unsupported }, { messages: [user], seed: 422 })
    if (place.surface === 'inference') {
      await ask('extra keys', { ...place, shape: 'extra parameters, inference' }, { messages: [user], foo: 1 })
    }
  }
  return answers
}
