import { type Call, type CallKind, isPassCall } from '../core/call.ts'
import { Fault } from '../core/fault.ts'
import type { Backend, NativeBatches, Reply } from '../core/reply.ts'
import { writeTraceHeaders } from '../telemetry/traces/trace-context.ts'
import { readSseData } from '../wire/sse/read-sse.ts'
import { relaySse } from '../wire/sse/relay-sse.ts'
import type { ClientEnd, RelayWatch } from '../wire/wire.ts'
import { createNativeBatches } from './native-batches.ts'
import { type AuthKind, type ChatApi, type Preset, type Protocol, presets } from './presets.ts'
import { readBytes, readRefusal, readWhole } from './read-response.ts'
import type { Transport, UpstreamRequest, UpstreamResponse } from './transport/transport.ts'

export type HttpBackendOptions = {
  readonly id: string
  readonly protocol: Protocol
  /** `https://host:port`, for those who want to know what was sent whereto. */
  readonly origin: string
  /** Path of the base URL, put before every path of the protocol. */
  readonly basePath: string
  readonly apiVersion?: string | undefined
  readonly auth?: AuthKind | undefined
  readonly credential?: string | undefined
  /** The model or deployment as the upstream names it. */
  readonly model: string
  readonly transport: Transport
  /** With which APIs chats may be asked; chat completions alone when absent. */
  readonly chatApis?: readonly ChatApi[] | undefined
  /** Whether streams may be asked for their usage; when absent, where the protocol's version has the field. */
  readonly streamUsage?: boolean | undefined
  /** Whether batches go there whole, where the protocol has that; not when absent. */
  readonly nativeBatch?: boolean | undefined
}

/** What is the call's own in a request. */
type OwnPart = Pick<UpstreamRequest, 'body'> & {
  readonly headers?: UpstreamRequest['headers'] | undefined
  readonly isUsageOurs?: boolean | undefined
}

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
  const targets = new Map(kinds.map((kind) => [kind, listTargets(kind)]))

  function listTargets(kind: CallKind): readonly Target[] {
    const usual = { end: preset.clientEnds[kind] as ClientEnd, path: basePath + preset.path(kind, model, apiVersion) }
    const { responses } = preset
    if (kind !== 'chat' || !responses || !options.chatApis) return [usual]
    const other = { end: responses.end, path: basePath + responses.path(apiVersion) }
    return options.chatApis.map((api) => (api === 'responses' ? other : usual))
  }

  function openBatches(): NativeBatches | undefined {
    const { batches } = preset
    const chat = preset.clientEnds.chat
    if (!options.nativeBatch || !batches || !chat) return undefined
    return createNativeBatches({
      home: `${options.protocol} ${options.origin}${basePath}`,
      end: batches.end,
      findClient: ({ kind }) => preset.clientEnds[kind],
      readFault: chat.readFault,
      pathTo: (below) => basePath + batches.path(below, apiVersion),
      headers,
      credential: options.credential,
      model,
      transport,
    })
  }

  return {
    id: options.id,
    kinds: new Set(kinds),
    batches: openBatches(),
    async send(call, signal, tally, needsEvents = false, trace) {
      const target = chooseTarget(targets.get(call.kind), call)
      if (!target) {
        throw new Fault('operation-not-supported', `The backend of this deployment has no ${call.kind} operation.`)
      }
      const { end, path } = target
      const isPassed = isPassCall(call)
      const own = writeOwn(call, end, model, asksUsage)
      const base = isPassed ? passHeaders : call.stream ? streamHeaders : postHeaders
      const request: UpstreamRequest = {
        method: 'POST',
        path,
        headers: own.headers || trace ? { ...base, ...own.headers, ...(trace && writeTraceHeaders(trace)) } : base,
        body: own.body,
      }
      tally.sent = {
        method: 'POST',
        url: options.origin + path,
        headers: request.headers,
        text: typeof own.body === 'string' ? own.body : undefined,
      }
      const response = await transport.request(request, signal)
      tally.answeredMs = performance.now()
      tally.status = response.status
      if (response.status !== 200) throw await readRefusal(response, end.readFault, options.credential)
      if (isPassed) return readPassed(response)
      const isRelay = !needsEvents && call.source?.wire === end.wire
      return call.stream
        ? readStream(response, end, call, isRelay, {
            tally,
            readUsage: end.readUsage,
            dropsUsage: own.isUsageOurs ?? false,
          })
        : readWhole(await readBytes(response.body), end, call, isRelay, tally)
    },
    async probe(signal) {
      try {
        const path = basePath + preset.probePath(apiVersion)
        const { status, body } = await transport.request({ method: 'GET', path, headers }, signal)
        await readBytes(body)
        if (status === 401 || status === 403) return { ok: false, detail: `it refuses the credential (${status})` }
        // Some servers know no other method than POST: that they say so is an answer.
        return { ok: status < 500 || status === 501, detail: `it answers (${status})` }
      } catch (error) {
        return { ok: false, detail: error instanceof Error ? error.message : String(error) }
      }
    },
  }
}

type Target = { readonly end: ClientEnd; readonly path: string }

/** The one whose protocol the caller speaks, which is known of calls too that a policy wrote anew; else the first. */
function chooseTarget(targets: readonly Target[] = [], { source, hints }: Call): Target | undefined {
  const wire = source?.wire ?? hints?.wire
  return targets.find(({ end }) => end.wire === wire) ?? targets[0]
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
