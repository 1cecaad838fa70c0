import { type Call, type CallKind, isPassCall } from '../core/call.ts'
import { Fault } from '../core/fault.ts'
import { type JsonObject, parseJsonObject } from '../core/json.ts'
import type { Backend, Reply } from '../core/reply.ts'
import type { Tally } from '../core/usage/tally.ts'
import { readSseData } from '../wire/sse.ts'
import { relaySse } from '../wire/sse-relay.ts'
import type { ClientEnd, RelayWatch } from '../wire/wire.ts'
import { type AuthKind, type Preset, type Protocol, presets } from './presets.ts'
import type { Transport, UpstreamRequest, UpstreamResponse } from './transport/transport.ts'

export type HttpBackendOptions = {
  readonly id: string
  readonly protocol: Protocol
  /** Path of the base URL, put before every path of the protocol. */
  readonly basePath: string
  readonly apiVersion?: string | undefined
  readonly auth?: AuthKind | undefined
  readonly credential?: string | undefined
  /** The model or deployment as the upstream names it. */
  readonly model: string
  readonly transport: Transport
  /** Whether streams may be asked for their usage; when absent, where the protocol's version has the field. */
  readonly streamUsage?: boolean | undefined
}

/** What is the call's own in a request. */
type OwnPart = Pick<UpstreamRequest, 'body'> & {
  readonly headers?: UpstreamRequest['headers'] | undefined
  readonly isUsageOurs?: boolean | undefined
}

const maxAnswerBytes = 64 * 1024 * 1024
const maxErrorBytes = 64 * 1024

/** A server spoken to over HTTP. A caller of the same protocol gets the upstream's own bytes. */
export function createHttpBackend(options: HttpBackendOptions): Backend {
  const { transport, model } = options
  const preset: Preset = presets[options.protocol]
  const basePath = options.basePath.replace(/\/+$/, '')
  const apiVersion = options.apiVersion ?? preset.apiVersion
  const asksUsage = options.streamUsage ?? apiVersion >= preset.usageSince
  const headers = {
    ...credentialHeader(options.auth ?? preset.auth, options.credential),
    ...preset.headers?.(apiVersion),
    'user-agent': 'ponto',
    'accept-encoding': 'identity',
  }
  const postHeaders = { ...headers, 'content-type': 'application/json', accept: 'application/json' }
  const streamHeaders = { ...postHeaders, accept: 'text/event-stream' }
  const passHeaders = { ...postHeaders, accept: '*/*' }
  const kinds = Object.keys(preset.clientEnds) as CallKind[]
  const paths = Object.fromEntries(kinds.map((kind) => [kind, basePath + preset.path(kind, model, apiVersion)]))

  return {
    id: options.id,
    kinds: new Set(kinds),
    async send(call, signal, tally, needsEvents = false) {
      const end = preset.clientEnds[call.kind]
      const path = paths[call.kind]
      if (!end || path === undefined) {
        throw new Fault('operation-not-supported', `The backend of this deployment has no ${call.kind} operation.`)
      }
      const isPassed = isPassCall(call)
      const own = writeOwn(call, end, model, asksUsage)
      const base = isPassed ? passHeaders : call.stream ? streamHeaders : postHeaders
      const response = await transport.request(
        { method: 'POST', path, headers: own.headers ? { ...base, ...own.headers } : base, body: own.body },
        signal,
      )
      if (response.status !== 200) throw await readFault(response, end, options.credential)
      if (isPassed) return readPassed(response)
      const isRelay = !needsEvents && call.source?.wire === end.wire
      return call.stream
        ? readStream(response, end, call, isRelay, {
            tally,
            readUsage: end.readUsage,
            dropsUsage: own.isUsageOurs ?? false,
          })
        : readWhole(response, end, call, isRelay, tally)
    },
    async probe(signal) {
      try {
        const path = basePath + preset.probePath(apiVersion)
        const { status, body } = await transport.request({ method: 'GET', path, headers }, signal)
        await readBytes(body, maxAnswerBytes)
        if (status === 401 || status === 403) return { ok: false, detail: `it refuses the credential (${status})` }
        // Some servers know no other method than POST: that they say so is an answer.
        return { ok: status < 500 || status === 501, detail: `it answers (${status})` }
      } catch (error) {
        return { ok: false, detail: error instanceof Error ? error.message : String(error) }
      }
    },
  }
}

function credentialHeader(auth: AuthKind, credential: string | undefined): Record<string, string> {
  if (auth === 'none' || credential === undefined) return {}
  return auth === 'bearer' ? { authorization: `Bearer ${credential}` } : { [auth]: credential }
}

/** A form goes on as it is, piece by piece. */
function writeOwn(call: Call, end: ClientEnd, model: string, asksUsage: boolean): OwnPart {
  if (isPassCall(call) && call.form) {
    return { headers: { 'content-type': call.form.contentType }, body: call.form.write(model) }
  }
  const { text, headers, isUsageOurs } = end.writeCall(call, model, asksUsage)
  return { headers, body: text, isUsageOurs }
}

function readPassed(response: UpstreamResponse): Reply {
  const contentType = response.headers['content-type'] ?? 'application/octet-stream'
  return { kind: 'passed', contentType, body: response.body }
}

function readStream(
  response: UpstreamResponse,
  end: ClientEnd,
  call: Call,
  isRelay: boolean,
  watch: RelayWatch,
): Reply {
  const type = response.headers['content-type'] ?? ''
  if (!type.startsWith('text/event-stream')) {
    throw new Fault('upstream-failed', `The backend answered a stream with content type '${type}'.`)
  }
  if (isRelay) {
    const body = end.relayStream?.(response.body, watch) ?? relaySse(response.body, watch)
    return { kind: 'bytes', wire: end.wire, body }
  }
  return { kind: 'stream', events: end.readEvents(readSseData(response.body), call) }
}

async function readWhole(
  response: UpstreamResponse,
  end: ClientEnd,
  call: Call,
  mayRelay: boolean,
  tally: Tally,
): Promise<Reply> {
  const body = await readBytes(response.body, maxAnswerBytes)
  // Also what is relayed is parsed: broken JSON is a failure of this backend, and another one may do better.
  const answer = parseAnswer(body)
  const isRelay = mayRelay && body[0] === 0x7b && (end.canRelay?.(body, call) ?? true)
  if (isRelay) {
    tally.usage = end.readUsage?.(answer)
    return { kind: 'bytes', wire: end.wire, body }
  }
  return { kind: 'whole', result: end.readResult(answer, call) }
}

const decoder = new TextDecoder()

function parseAnswer(body: Uint8Array): JsonObject {
  const answer = parseJsonObject(decoder.decode(body))
  if (!answer) throw new Fault('upstream-failed', "The backend's answer is not a JSON object.")
  return answer
}

/** Shorter ones are words that may stand in any message. */
const minSecretLength = 8

/** Some upstreams repeat the credential they refuse; it goes no further. */
async function readFault(response: UpstreamResponse, end: ClientEnd, credential = ''): Promise<Fault> {
  const said = new TextDecoder().decode(await readBytes(response.body, maxErrorBytes))
  const text = credential.length >= minSecretLength ? said.replaceAll(credential, '[redacted]') : said
  return end.readFault(response.status, readRetryAfter(response.headers), text)
}

/** Milliseconds from whichever of the three headers the upstream sent. `Retry-After` may be a date. */
function readRetryAfter(headers: Readonly<Record<string, string>>): number | undefined {
  const ms = Number(headers['retry-after-ms'] ?? headers['x-ms-retry-after-ms'] ?? Number.NaN)
  if (Number.isFinite(ms)) return ms
  const after = headers['retry-after']
  if (after === undefined) return undefined
  const seconds = Number(after)
  if (Number.isFinite(seconds)) return seconds * 1000
  const date = Date.parse(after)
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now())
}

async function readBytes(body: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > limit) throw new Fault('upstream-failed', `The backend's answer is longer than ${limit} bytes.`)
    chunks.push(chunk.slice())
  }
  if (chunks.length === 1) return chunks[0] as Uint8Array
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
