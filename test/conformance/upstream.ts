import {
  event,
  type FakeUpstream,
  json,
  type SeenRequest,
  type Step,
  sse,
  sseHead,
  startFakeUpstream,
} from '../support/fake-upstream.ts'
import { answerMedia } from './upstream-media.ts'
import { answerResponse } from './upstream-responses.ts'

/**
 * The model server behind the relayed deployments. What it does is chosen by the model that it is asked for. Clients
 * run in processes of their own, so what it saw is asked over HTTP, by a mark that a check put into its request:
 * - `GET /seen/{mark}`: the requests that carried the mark, once all of them are over
 * - `GET /release/{mark}`: lets the answer of model `gated` go on
 */
export async function startUpstream(): Promise<FakeUpstream> {
  const upstream = await startFakeUpstream()
  const gates = new Map<string, PromiseWithResolvers<void>>()
  const gateOf = (mark: string): PromiseWithResolvers<void> => {
    const gate = gates.get(mark) ?? Promise.withResolvers<void>()
    gates.set(mark, gate)
    return gate
  }
  upstream.respond(async (request) => {
    const [, verb, mark] = askPattern.exec(request.path) ?? []
    if (verb === 'seen') return tellSeen(upstream.requests, mark as string)
    if (verb === 'release') {
      gateOf(mark as string).resolve()
      return json({})
    }
    const media = await answerMedia(request)
    if (media) return media
    const asked: Asked = { path: request.path, ...JSON.parse(request.body) }
    if (request.path.includes('/responses')) return answerResponse(JSON.parse(request.body))
    const isRepeated = upstream.requests.filter(({ body }) => body === request.body).length > 1
    const gate = gateOf(markPattern.exec(request.body)?.[0] ?? '')
    return answer(asked, isRepeated, gate.promise)
  })
  return upstream
}

/** Milliseconds that `limited` asks to be left alone; longer than any client's own first pause. */
export const retryAfterMs = 1100

const markPattern = /mark-[0-9a-f-]{36}/
const askPattern = /^\/(seen|release)\/(mark-[0-9a-f-]{36})$/

type Message = { readonly role: string; readonly content: string }

type Asked = {
  readonly path: string
  readonly model: string
  readonly messages?: readonly Message[]
  readonly prompt?: string
  readonly input?: string | readonly string[]
  readonly stream?: boolean
  readonly stream_options?: { readonly include_usage?: boolean }
  readonly encoding_format?: 'float' | 'base64'
  readonly tools?: readonly { readonly function: { readonly name: string } }[]
}

async function tellSeen(requests: readonly SeenRequest[], mark: string): Promise<readonly Step[]> {
  const marked = requests.filter(({ body }) => body.includes(mark))
  const seen = marked.map(async ({ path, headers, body, receivedAtMs, finished }) => ({
    path,
    headers,
    body: JSON.parse(body),
    receivedAtMs,
    isWhole: await finished,
  }))
  return json(await Promise.all(seen))
}

function answer(asked: Asked, isRepeated: boolean, gate: Promise<void>): readonly Step[] {
  switch (asked.model) {
    case 'limited':
      return isRepeated
        ? answerPlainly(asked)
        : refuse(429, 'rate_limit_exceeded', { 'retry-after-ms': `${retryAfterMs}` })
    case 'refusing':
      return refuse(400, 'context_length_exceeded')
    case 'filtering':
      return filterPrompt()
    case 'failing':
      return isRepeated ? answerPlainly(asked) : refuse(500, 'server_error')
    case 'silent':
      return [{ do: 'stall' }]
    case 'cut':
      return isRepeated ? answerPlainly(asked) : breakOff(asked, [{ do: 'cut' }])
    case 'endless':
      return breakOff(asked, [{ do: 'stall' }])
    case 'untidy':
      return asked.stream ? writeUntidily(asked) : answerPlainly(asked)
    case 'gated':
      return holdBack(asked, gate)
    case 'two':
      return answerTwice(asked)
    case 'tools':
      return asked.messages?.at(-1)?.role === 'tool' ? answerPlainly(asked) : callTool(asked)
    case 'float-only':
      return embed({ ...asked, encoding_format: 'float' })
    default:
      return answerPlainly(asked)
  }
}

function answerPlainly(asked: Asked): readonly Step[] {
  if (asked.path.includes('/embeddings')) return embed(asked)
  if (asked.path === '/v1/messages') return answerMessage(asked)
  return asked.stream ? sse(...writeChunks(asked)) : json(writeWhole(asked))
}

const usage = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 }
const head = { id: 'answer-1', created: 1_760_000_000, model: 'served-2024-08-06', system_fingerprint: 'fp_1' }

const isChat = (asked: Asked): boolean => asked.messages !== undefined
/** What was said last; model `literal` says nothing else, so that its answer is what a check wants it to be. */
const textOf = ({ model, messages, prompt }: Asked): string => {
  const said = messages?.at(-1)?.content ?? prompt
  return model === 'literal' ? `${said}` : `Echo: ${said}`
}

function writeWhole(asked: Asked): object {
  const text = textOf(asked)
  const answer = isChat(asked) ? { message: { role: 'assistant', content: text, refusal: null } } : { text }
  const object = isChat(asked) ? 'chat.completion' : 'text_completion'
  return { ...head, object, choices: [{ index: 0, ...answer, finish_reason: 'stop', logprobs: null }], usage }
}

/**
 * As the protocol of the path has it: usage in the last chunk of the Model Inference API, in one of its own elsewhere.
 */
function writeChunks(asked: Asked): readonly object[] {
  const pieces = textOf(asked).match(/.{1,5}/gsu) ?? []
  const isInference = asked.path.startsWith('/models')
  const chunks = isChat(asked)
    ? [chunk({ role: 'assistant', content: '' }), ...pieces.map((content) => chunk({ content }))]
    : pieces.map((text) => textChunk(text))
  const last = isChat(asked) ? chunk({}, 'stop') : textChunk('', 'stop')
  const wantsUsage = asked.stream_options?.include_usage ?? false
  const ending = wantsUsage ? [{ ...last, choices: [], usage }] : []
  return isInference ? [...chunks, { ...last, usage }] : [...chunks, last, ...ending]
}

/** The Messages API: named events, of which the last one is no `[DONE]`. */
function answerMessage(asked: Asked): readonly Step[] {
  const counts = { input_tokens: usage.prompt_tokens, output_tokens: usage.completion_tokens }
  const message = { id: head.id, type: 'message', role: 'assistant', model: head.model, content: [], usage: counts }
  const ending = { stop_reason: 'end_turn', stop_sequence: null }
  const text = textOf(asked)
  if (!asked.stream) return json({ ...message, content: [{ type: 'text', text }], ...ending })
  const deltas = (text.match(/.{1,5}/gsu) ?? []).map((piece) => ({ type: 'text_delta', text: piece }))
  const events = [
    { type: 'message_start', message: { ...message, usage: { ...counts, output_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'ping' },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta })),
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: ending, usage: { output_tokens: counts.output_tokens } },
    { type: 'message_stop' },
  ]
  const lines = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  return [sseHead, { do: 'send', text: lines.join('') }, { do: 'end' }]
}

function chunk(delta: object, finish_reason: string | null = null): object {
  return { ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason, logprobs: null }] }
}

function textChunk(text: string, finish_reason: string | null = null): object {
  return { ...head, object: 'text_completion', choices: [{ index: 0, text, finish_reason, logprobs: null }] }
}

/** Two answers, of which the second one alone repeats what was asked; streamed, their pieces take turns. */
function answerTwice(asked: Asked): readonly Step[] {
  const texts = ['Echo: fine', textOf(asked)]
  if (!asked.stream) {
    const whole = writeWhole(asked) as { readonly choices: readonly object[] }
    const choices = texts.map((content, index) => ({
      ...whole.choices[0],
      index,
      message: { role: 'assistant', content },
    }))
    return json({ ...whole, choices })
  }
  const at = (index: number, delta: object, reason: string | null = null) => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index, delta, finish_reason: reason, logprobs: null }],
  })
  const pieces = texts.map((text) => text.match(/.{1,5}/gsu) ?? [])
  const turns = Array.from({ length: Math.max(...pieces.map(({ length }) => length)) }, (_, turn) =>
    pieces.flatMap((own, index) => (own[turn] === undefined ? [] : [at(index, { content: own[turn] })])),
  )
  const both = (delta: object, reason: string | null) => texts.map((_, index) => at(index, delta, reason))
  return sse(...both({ role: 'assistant', content: '' }, null), ...turns.flat(), ...both({}, 'stop'))
}

/** Begins an answer that then goes on as told. */
function breakOff(asked: Asked, ending: readonly Step[]): readonly Step[] {
  if (asked.stream) return [sseHead, ...writeChunks(asked).slice(0, 2).map(event), ...ending]
  const text = JSON.stringify(writeWhole(asked))
  const headers = { 'content-type': 'application/json', 'content-length': `${Buffer.byteLength(text)}` }
  return [{ do: 'head', headers }, { do: 'send', text: text.slice(0, 20) }, ...ending]
}

function holdBack(asked: Asked, gate: Promise<void>): readonly Step[] {
  const [first, second, ...others] = writeChunks(asked).map(event)
  const done = event('[DONE]')
  return [sseHead, first as Step, second as Step, { do: 'until', promise: gate }, ...others, done, { do: 'end' }]
}

/**
 * What servers really send, and what strict readers of event streams break on: comments, event names, CRLF, an error of
 * null, no terminator.
 */
function writeUntidily(asked: Asked): readonly Step[] {
  const [first, ...others] = writeChunks(asked).map((chunk) => JSON.stringify({ ...chunk, error: null }))
  const text = `: keep-alive\n\nevent: message\nid: 1\ndata:${first}\n\n${others.map((data) => `data: ${data}\r\n\r\n`).join('')}`
  return [sseHead, { do: 'send', text }, { do: 'end' }]
}

function callTool(asked: Asked): readonly Step[] {
  const call = { index: 0, id: 'call_1', type: 'function' }
  const name = asked.tools?.[0]?.function.name
  if (!asked.stream) {
    const message = {
      role: 'assistant',
      content: null,
      tool_calls: [{ ...call, function: { name, arguments: '{"city":"Paris"}' } }],
    }
    return json({
      ...head,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: 'tool_calls' }],
      usage,
    })
  }
  return sse(
    chunk({ role: 'assistant', content: null, tool_calls: [{ ...call, function: { name, arguments: '' } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '"Paris"}' } }] }),
    chunk({}, 'tool_calls'),
  )
}

/** Each text becomes its length and three values that float32 holds exactly. */
function embed(asked: Asked): readonly Step[] {
  const texts = [asked.input ?? []].flat()
  const data = texts.map((text, index) => {
    const vector = [text.length, index, 0.25, -1.5]
    const bytes = Buffer.from(Float32Array.from(vector).buffer)
    return {
      object: 'embedding',
      index,
      embedding: asked.encoding_format === 'base64' ? bytes.toString('base64') : vector,
    }
  })
  return json({ object: 'list', data, model: head.model, usage: { prompt_tokens: 7, total_tokens: 7 } })
}

function refuse(status: number, code: string, headers: Record<string, string> = {}): readonly Step[] {
  const error = { message: `The upstream answers ${code}.`, type: 'upstream', param: 'messages', code }
  return json({ error }, status, headers)
}

/** As Azure OpenAI refuses a prompt. */
function filterPrompt(): readonly Step[] {
  const safe = { filtered: false, severity: 'safe' }
  const result = { hate: safe, self_harm: safe, sexual: safe, violence: { filtered: true, severity: 'medium' } }
  const innererror = { code: 'ResponsibleAIPolicyViolation', content_filter_result: result }
  const message = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
  const error = { message, type: null, param: 'prompt', code: 'content_filter', status: 400, innererror }
  return json({ error }, 400)
}
