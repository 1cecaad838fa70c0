import type { Call } from '../core/call.ts'
import { Fault } from '../core/fault.ts'
import { isJsonObject, isTooDeep, type JsonObject, parseJsonObject } from '../core/json.ts'
import type { BatchOrder, NativeBatches, UpstreamBatch } from '../core/reply.ts'
import type { BatchEnd, ClientEnd, ListedBatch } from '../wire/wire.ts'
import { parseAnswer, readBytes, readRefusal, readWhole, redact } from './read-response.ts'
import type { Transport, UpstreamRequest, UpstreamResponse } from './transport/transport.ts'

export type NativeBatchesOptions = {
  readonly home: string
  readonly end: BatchEnd
  /** The end that writes and reads what lines of that kind hold. */
  readonly findClient: (call: Call) => ClientEnd | undefined
  readonly readFault: ClientEnd['readFault']
  /** The whole path, with query, of one that the end gives. */
  readonly pathTo: (below: string) => string
  readonly headers: Readonly<Record<string, string>>
  readonly credential: string | undefined
  readonly model: string
  readonly transport: Transport
}

/** An order is looked for in so many of the newest batches; older ones than the order end the search. */
const mostPages = 50
const slackMs = 10 * 60_000
/** Of what goes into a log. */
const mostReasonLength = 500
/** As much of the results as tells whose they are. */
const peekBytes = 64 * 1024
/** Pieces of a body are about so large. */
const pieceLength = 64 * 1024

/** Batches at a server spoken to over HTTP. */
export function createNativeBatches(options: NativeBatchesOptions): NativeBatches {
  const { end, transport, findClient, readFault, pathTo, credential } = options
  const headers = { ...options.headers, accept: 'application/json' }

  async function ask(
    method: UpstreamRequest['method'],
    below: string,
    signal: AbortSignal,
    body?: { readonly type: string; readonly pieces: AsyncIterable<Uint8Array> },
  ): Promise<UpstreamResponse> {
    const own = body ? { ...headers, 'content-type': body.type } : headers
    return transport.request({ method, path: pathTo(below), headers: own, body: body?.pieces }, signal)
  }

  /** The body of an answer. Rejects with the Fault of another status than 200 and 201. */
  async function read(response: UpstreamResponse): Promise<JsonObject> {
    if (response.status !== 200 && response.status !== 201) throw await readRefusal(response, readFault, credential)
    return parseAnswer(await readBytes(response.body))
  }

  function readBatch(body: JsonObject): ListedBatch {
    const batch = end.readBatch(body)
    if (batch?.reason !== undefined) {
      return { ...batch, reason: redact(batch.reason, credential).slice(0, mostReasonLength) }
    }
    if (batch) return batch
    throw new Fault('upstream-failed', "The backend's answer is no batch.")
  }

  /** What it is about does not matter: it is read, so that its connection can be used again. */
  async function settle(response: UpstreamResponse): Promise<void> {
    if (response.status < 400) await readBytes(response.body)
    else {
      const fault = await readRefusal(response, readFault, credential)
      // It has ended, or is gone: nothing is left to be done.
      if (response.status === 429 || response.status >= 500) throw fault
    }
  }

  const one = (id: string, verb = ''): string => `${end.path}/${encodeURIComponent(id)}${verb}`

  async function* listBatches(since: number, signal: AbortSignal): AsyncGenerator<ListedBatch> {
    let after: string | undefined
    for (let page = 0; page < mostPages; page++) {
      const { data, has_more: hasMore } = await read(await ask('GET', end.listPath(after), signal))
      const batches = (Array.isArray(data) ? data : [])
        .filter(isJsonObject)
        .flatMap((item) => end.readBatch(item) ?? [])
      yield* batches
      const [first, last] = [batches.at(0), batches.at(-1)]
      if (hasMore !== true || !last || last.id === after) return
      // Some list their oldest first.
      const isNewestFirst = (first?.createdAt ?? 0) >= (last.createdAt ?? 0)
      if (isNewestFirst && last.createdAt !== undefined && last.createdAt < since) return
      after = last.id
    }
  }

  /** Whether its results are those of the order; undefined while there are none. */
  async function peekOrder(
    batch: UpstreamBatch,
    { tag }: BatchOrder,
    signal: AbortSignal,
  ): Promise<boolean | undefined> {
    const [name] = batch.results
    if (batch.state === 'running') return undefined
    if (name === undefined) return false
    const response = await ask('GET', end.resultPath(name), signal)
    if (response.status !== 200) throw await readRefusal(response, readFault, credential)
    let text = ''
    for await (const piece of response.body) {
      text += Buffer.from(piece).toString('latin1')
      if (text.includes('\n') || text.length > peekBytes) break
    }
    return text.includes(`"${tag}-`)
  }

  return {
    home: options.home,
    kinds: end.kinds,
    maxLines: end.maxLines,
    maxBytes: end.maxBytes,
    keepsCustomIds: end.keepsCustomIds,

    writeLine(name, call) {
      const client = findClient(call)
      if (!client || !end.kinds.has(call.kind)) {
        throw new Fault('operation-not-supported', `The backend of this deployment has no batches of ${call.kind}.`)
      }
      return end.writeLine(name, call.kind, client.writeCall(call, options.model, false).text)
    },

    async stage(tag, lines, signal) {
      const { file } = end
      if (!file) return undefined
      const { contentType, head, tail } = file.writeForm(tag)
      const pieces = writePieces(head, lines, '\n', tail)
      return file.read(await read(await ask('POST', file.path, signal, { type: contentType, pieces }))).id
    },

    async isStaged(staged, signal) {
      const { file } = end
      if (!file) return true
      return file.read(await read(await ask('GET', `${file.path}/${encodeURIComponent(staged)}`, signal))).isReady
    },

    async submitBatch(order, lines, signal) {
      const { head, tail } = end.writeOrder(order)
      // In pieces: what comes so is sent on a connection of its own, and never again by itself.
      const pieces = writePieces(head, end.file ? [] : lines, ',', tail)
      return readBatch(await read(await ask('POST', end.path, signal, { type: 'application/json', pieces })))
    },

    async findBatches(order, signal) {
      const found: UpstreamBatch[] = []
      for await (const batch of listBatches(order.orderedAt - slackMs, signal)) {
        const verdict = end.isOrdered(batch, order)
        if (verdict === 'no') continue
        const isIt = verdict === 'yes' ? true : await peekOrder(batch, order, signal)
        if (isIt === undefined) return 'unsure'
        if (isIt) found.push(batch)
      }
      return found
    },

    async pollBatch(id, signal) {
      const response = await ask('GET', one(id), signal)
      if (response.status !== 404) return readBatch(await read(response))
      await readBytes(response.body)
      return undefined
    },

    async cancelBatch(id, signal) {
      await settle(await ask('POST', one(id, '/cancel'), signal))
    },

    async *readResults(name, signal) {
      const response = await ask('GET', end.resultPath(name), signal)
      if (response.status !== 200) throw await readRefusal(response, readFault, credential)
      yield* response.body
    },

    readLine(text) {
      const result = parseJsonObject(text)
      return result && !isTooDeep(result, text.length) ? end.readResult(result) : undefined
    },

    readAnswer(call, { status, body }, tally, needsEvents) {
      const client = findClient(call)
      if (!client) throw new Fault('operation-not-supported', `The backend of this deployment has no ${call.kind}.`)
      if (status !== 200) throw client.readFault(status ?? 500, undefined, redact(body, credential))
      return readWhole(Buffer.from(body), client, call, !needsEvents && call.source?.wire === client.wire, tally)
    },

    async discard(file, signal) {
      if (end.file) await settle(await ask('DELETE', `${end.file.path}/${encodeURIComponent(file)}`, signal))
    },
  }
}

async function* writePieces(
  head: string,
  lines: readonly string[],
  between: string,
  tail: string,
): AsyncGenerator<Uint8Array> {
  let text = head
  for (const [i, line] of lines.entries()) {
    text += i === 0 ? line : between + line
    if (text.length < pieceLength) continue
    yield Buffer.from(text)
    text = ''
  }
  yield Buffer.from(text + tail)
}
