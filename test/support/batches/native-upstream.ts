import { json, type SeenRequest, type Step, startFakeUpstream } from '../fake-upstream.ts'
import { answerOf, isRefused } from './upstream.ts'

/** A batch at the upstream. `names` are those of its lines, in their order. */
export type NativeBatch = {
  readonly id: string
  readonly names: readonly string[]
  readonly lines: readonly Line[]
  readonly tag: string | undefined
  readonly staged: string | undefined
  readonly createdAt: number
  isCancelled: boolean
}

type Line = { readonly name: string; readonly body: Body }
type Body = {
  readonly model: string
  readonly messages: readonly { readonly role: string; readonly content: unknown }[]
}

/** An upstream that takes batches as OpenAI and Azure OpenAI do (files, batches of files) and as Anthropic does (message batches). */
export type NativeUpstream = {
  readonly url: string
  readonly batches: NativeBatch[]
  readonly files: Map<string, string>
  /** Custom ids that were asked for one by one. */
  readonly single: string[]
  readonly requests: readonly SeenRequest[]
  /** While true, batches do not end. */
  isHeld: boolean
  /** What is done in place of an answer, before the request has had an effect or after. */
  before: ((request: SeenRequest) => readonly Step[] | undefined) | undefined
  after: ((request: SeenRequest) => readonly Step[] | undefined) | undefined
  /** The result lines of a batch. */
  results: (lines: readonly string[], batch: NativeBatch) => readonly string[]
  stop(): Promise<void>
}

/** Each line says its custom id first in its last message, as `writeInput` has it. */
export async function startNativeUpstream(): Promise<NativeUpstream> {
  const upstream = await startFakeUpstream()
  const files = new Map<string, string>()
  const batches: NativeBatch[] = []
  let made = 0
  const native: NativeUpstream = {
    url: upstream.url,
    batches,
    files,
    single: [],
    requests: upstream.requests,
    isHeld: false,
    before: undefined,
    after: undefined,
    results: (lines) => lines,
    stop: upstream.stop,
  }

  upstream.respond((request) => {
    const instead = native.before?.(request)
    if (instead) return instead
    const steps = answer(request)
    return native.after?.(request) ?? steps
  })

  function answer({ method, path, body }: SeenRequest): readonly Step[] {
    const { pathname, searchParams } = new URL(path, upstream.url)
    const [, below = ''] = /^\/(?:v1|openai)(\/.*)$/.exec(pathname) ?? []
    const [, area, id = '', verb = ''] = below.split('/')
    if (below.startsWith('/messages/batches'))
      return answerMessages(method, below.split('/').slice(3), body, searchParams)
    if (area === 'files' && method === 'POST') return json(showFile(addFile(readFormFile(body))), 201)
    if (area === 'files' && verb === 'content') return readContent(id)
    if (area === 'files' && method === 'DELETE') return json({ id, deleted: files.delete(id) })
    if (area === 'files') return files.has(id) ? json(showFile(id)) : notFound()
    if (area === 'batches' && method === 'POST' && id === '') return json(showBatch(order(JSON.parse(body))))
    if (area === 'batches' && id === '') return json(list(searchParams.get('after'), showBatch))
    if (area === 'batches') return find(id, verb, showBatch)
    if (below.endsWith('/chat/completions')) return single(JSON.parse(body) as Body, answerChat)
    if (below === '/messages') return single(JSON.parse(body) as Body, answerMessage)
    return notFound()
  }

  function addFile(content: string): string {
    const id = `file-${made++}`
    files.set(id, content)
    return id
  }

  const showFile = (id: string) => ({
    id,
    object: 'file',
    bytes: files.get(id)?.length,
    status: 'processed',
    purpose: 'batch',
  })

  function readContent(id: string): readonly Step[] {
    const batch = batches.find((one) => `${one.id}-out` === id)
    if (!batch) return notFound()
    return sendText(native.results(batch.lines.map(resultLine), batch))
  }

  type Order = { readonly input_file_id: string; readonly metadata?: { readonly ponto_batch?: string } }

  function order({ input_file_id: staged, metadata }: Order): NativeBatch {
    const lines = (files.get(staged) ?? '').split('\n').map((text) => {
      const { custom_id: name, body } = JSON.parse(text) as { custom_id: string; body: Body }
      return { name, body }
    })
    return add(lines, metadata?.ponto_batch, staged)
  }

  function add(lines: readonly Line[], tag: string | undefined, staged: string | undefined): NativeBatch {
    const names = lines.map(({ name }) => name)
    const batch = { id: `b-${made++}`, lines, names, tag, staged, createdAt: Date.now(), isCancelled: false }
    batches.unshift(batch)
    return batch
  }

  const isRunning = ({ isCancelled }: NativeBatch): boolean => native.isHeld && !isCancelled

  function showBatch(batch: NativeBatch) {
    const { id, tag, staged, createdAt, isCancelled, names } = batch
    const isOver = !isRunning(batch)
    return {
      id,
      object: 'batch',
      status: isOver ? (isCancelled ? 'cancelled' : 'completed') : 'in_progress',
      input_file_id: staged,
      output_file_id: isOver ? `${id}-out` : null,
      error_file_id: null,
      created_at: Math.floor(createdAt / 1000),
      request_counts: { total: names.length, completed: 0, failed: 0 },
      metadata: tag === undefined ? null : { ponto_batch: tag },
    }
  }

  function showMessageBatch(batch: NativeBatch) {
    const isOver = !isRunning(batch)
    return {
      id: batch.id,
      type: 'message_batch',
      processing_status: isOver ? 'ended' : 'in_progress',
      request_counts: {
        processing: isOver ? 0 : batch.names.length,
        succeeded: isOver ? batch.names.length : 0,
        errored: 0,
        canceled: 0,
        expired: 0,
      },
      created_at: new Date(batch.createdAt).toISOString(),
      results_url: isOver ? `${upstream.url}/v1/messages/batches/${batch.id}/results` : null,
    }
  }

  type Show = (batch: NativeBatch) => { readonly id: string }

  /** Two on a page, so that there are pages. */
  function list(after: string | null, show: Show) {
    const from = after === null ? 0 : batches.findIndex(({ id }) => id === after) + 1
    const page = batches.slice(from, from + 2)
    return { object: 'list', data: page.map(show), has_more: from + 2 < batches.length, last_id: page.at(-1)?.id }
  }

  function find(id: string, verb: string, show: Show): readonly Step[] {
    const batch = batches.find((one) => one.id === id)
    if (!batch) return notFound()
    if (verb === 'cancel') batch.isCancelled = true
    return json(show(batch))
  }

  function answerMessages(
    method: string,
    [id = '', verb = '']: readonly string[],
    body: string,
    query: URLSearchParams,
  ): readonly Step[] {
    if (method === 'POST' && id === '') {
      const { requests } = JSON.parse(body) as { requests: { custom_id: string; params: Body }[] }
      const lines = requests.map(({ custom_id: name, params }) => ({ name, body: params }))
      return json(showMessageBatch(add(lines, undefined, undefined)))
    }
    if (id === '') return json(list(query.get('after_id'), showMessageBatch))
    const batch = batches.find((one) => one.id === id)
    if (verb !== 'results' || !batch) return find(id, verb, showMessageBatch)
    return sendText(native.results(batch.lines.map(messageResultLine), batch))
  }

  function single(body: Body, write: (name: string) => { readonly status: number; readonly body: object }) {
    const name = saidBy(body)
    native.single.push(name)
    const { status, body: answered } = write(name)
    return json(answered, status)
  }

  return native
}

/** The custom id that a request says, whatever its line is called. */
function saidBy({ messages }: Body): string {
  const [, name = ''] = /"?([\w-]+)/.exec(JSON.stringify(messages.at(-1)?.content).replace(/^\[\{.*"text":/, '')) ?? []
  return name
}

function answerChat(name: string) {
  if (isRefused(name))
    return { status: 400, body: { error: { message: 'Too long.', code: 'context_length_exceeded' } } }
  const choice = { index: 0, message: { role: 'assistant', content: answerOf(name) }, finish_reason: 'stop' }
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }
  return {
    status: 200,
    body: { id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [choice], usage },
  }
}

function answerMessage(name: string) {
  if (isRefused(name)) {
    return {
      status: 400,
      body: { type: 'error', error: { type: 'invalid_request_error', message: 'prompt is too long' } },
    }
  }
  const content = [{ type: 'text', text: answerOf(name) }]
  const usage = { input_tokens: 10, output_tokens: 5 }
  return {
    status: 200,
    body: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content, stop_reason: 'end_turn', usage },
  }
}

function resultLine({ name, body }: Line): string {
  const { status, body: answered } = answerChat(saidBy(body))
  const response = { status_code: status, request_id: 'r', body: answered }
  return JSON.stringify({ id: `batch_req_${name}`, custom_id: name, response, error: null })
}

function messageResultLine({ name, body }: Line): string {
  const { status, body: answered } = answerMessage(saidBy(body))
  const result = status === 200 ? { type: 'succeeded', message: answered } : { type: 'errored', error: answered }
  return JSON.stringify({ custom_id: name, result })
}

function sendText(lines: readonly string[]): readonly Step[] {
  const text = lines.map((line) => `${line}\n`).join('')
  return [{ do: 'head' }, { do: 'send', text }, { do: 'end' }]
}

const notFound = (): readonly Step[] => json({ error: { message: 'There is none.' } }, 404)

/** The content of the one file of a form. */
function readFormFile(form: string): string {
  const at = form.indexOf('name="file"')
  const start = form.indexOf('\r\n\r\n', at) + 4
  return form.slice(start, form.indexOf('\r\n--', start))
}
