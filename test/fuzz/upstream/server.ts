import { createServer, type Socket } from 'node:net'
import { type Protocol, presets } from '../../../src/backend/presets.ts'
import type { CallKind } from '../../../src/core/call.ts'
import { renderGood, type UpstreamQuestion, type UpstreamScript } from './draft.ts'
import { goodAnswer } from './good-answers.ts'

export type FuzzUpstream = {
  readonly port: number
  /** What the server sent for this lane that no upstream should be sent, since the last call. */
  takeComplaints(lane: number): readonly string[]
  /** The next request of the lane is answered with this, those after it well; undefined takes back what was not used. */
  plan(lane: number, answer: ((question: UpstreamQuestion) => UpstreamScript) | undefined): void
  /** No request may hold any of these. */
  guard(secrets: readonly string[]): void
  stop(): Promise<void>
}

/** An upstream on raw sockets, so that it can answer with what is not HTTP. It is strict about what it is sent. */
export async function startFuzzUpstream(): Promise<FuzzUpstream> {
  const plans = new Map<number, (question: UpstreamQuestion) => UpstreamScript>()
  const complaints = new Map<number, string[]>()
  const complain = (lane: number, texts: readonly string[]): void =>
    void complaints.set(lane, [...(complaints.get(lane) ?? []), ...texts])
  let foreignSecrets: readonly string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    let received = Buffer.alloc(0)
    let isAnswering = false
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (received.length > maxRequestBytes) socket.destroy()
      else step().catch((error) => complain(-1, [`the fuzzer itself failed: ${error.stack}`]))
    })
    async function step(): Promise<void> {
      while (!isAnswering && received.length > 0) {
        const request = parseRequest(received)
        if (request === 'more') return
        if (typeof request === 'string') {
          complain(laneOf(received.toString('latin1', 0, 200)), [`${request}: ${received.toString('latin1', 0, 1000)}`])
          socket.destroy()
          return
        }
        received = received.subarray(request.length)
        const lane = laneOf(request.path)
        const found = judgeRequest(request, foreignSecrets)
        if (found.length > 0) complain(lane, found)
        const question = readQuestion(request)
        const isPlanned = request.path.startsWith('/plan')
        const plan = isPlanned ? plans.get(lane) : undefined
        if (isPlanned) plans.delete(lane)
        isAnswering = true
        await play(socket, plan ? plan(question) : renderGood(answerWell(question)))
        isAnswering = false
      }
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    takeComplaints(lane) {
      const found = complaints.get(lane) ?? []
      complaints.delete(lane)
      return found
    },
    plan(lane, answer) {
      if (answer) plans.set(lane, answer)
      else plans.delete(lane)
    },
    guard(secrets) {
      foreignSecrets = secrets
    },
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function laneOf(text: string): number {
  return Number(/\/(?:good|plan)(\d\d)\//.exec(text)?.[1] ?? -1)
}

const maxRequestBytes = 100 * 1024 * 1024

function answerWell({ wire, kind, isStream, text }: UpstreamQuestion) {
  return goodAnswer(wire, kind, isStream, text, false)
}

async function play(socket: Socket, script: UpstreamScript): Promise<void> {
  for (const bytes of script.pieces) {
    if (socket.destroyed) return
    socket.write(bytes)
    if (script.gapMs > 0) await wait(script.gapMs)
    else if (script.pieces.length > 1) await new Promise((resolve) => setImmediate(resolve))
  }
  switch (script.ending) {
    case 'keep':
      return
    case 'fin':
      socket.end()
      return
    case 'reset':
      await wait(2)
      socket.resetAndDestroy()
      return
    case 'flood':
      // Never ends by itself: the server's own limit has to end it.
      while (!socket.destroyed && !socket.writableEnded) {
        if (socket.writableLength < 65_536) socket.write(script.flood ?? Buffer.from(':\n\n'))
        await wait(3)
      }
      return
    case 'stall':
      await new Promise<void>((resolve) => (socket.destroyed ? resolve() : socket.once('close', () => resolve())))
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

type UpstreamCall = {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly length: number
}

/** The first request in the bytes, 'more' when it is not there whole, or in words why it is none. */
function parseRequest(bytes: Buffer): UpstreamCall | 'more' | string {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return bytes.length > 1_000_000 ? 'a head without end' : 'more'
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const match = /^(GET|POST) (\/[\x21-\x7e]*) HTTP\/1\.1$/.exec(first)
  if (!match) return 'a request line that is none'
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const header = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)$/.exec(line)
    if (!header || /[\0\r\n]/.test(line)) return 'a header line that is none'
    const name = (header[1] as string).toLowerCase()
    if (name in headers) return `the header ${name} twice`
    headers[name] = header[2] as string
  }
  const call = { method: match[1] as string, path: match[2] as string, headers }
  const from = end + 4
  if (headers['transfer-encoding'] !== undefined) {
    const body = readChunked(bytes, from)
    return typeof body === 'string' ? body : { ...call, ...body }
  }
  const length = Number(headers['content-length'] ?? 0)
  if (bytes.length < from + length) return 'more'
  return { ...call, body: bytes.subarray(from, from + length), length: from + length }
}

function readChunked(bytes: Buffer, from: number): { body: Buffer; length: number } | 'more' | string {
  const parts: Buffer[] = []
  for (let at = from; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return 'more'
    const size = bytes.subarray(at, lineEnd).toString('latin1')
    if (!/^[0-9a-f]{1,8}$/i.test(size)) return 'a chunk size that is none'
    const length = Number.parseInt(size, 16)
    const next = lineEnd + 2 + length + 2
    if (bytes.length < next) return 'more'
    if (length === 0) return { body: Buffer.concat(parts), length: next }
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + length))
    at = next
  }
}

function judgeRequest({ path, headers, body }: UpstreamCall, foreignSecrets: readonly string[]): string[] {
  const found: string[] = []
  const heads = [path, ...Object.values(headers)].join('\n')
  if (foreignSecrets.some((secret) => heads.includes(secret))) {
    found.push(`a caller's key in the head of a request to ${path}`)
  }
  if (headers['content-type']?.startsWith('application/json')) {
    if (parseBody(body) === undefined) {
      found.push(`a body to ${path} that is no JSON: ${body.subarray(0, 500).toString('latin1')}`)
    }
  }
  return found
}

function readQuestion({ path, body }: UpstreamCall): UpstreamQuestion {
  const [, , protocol = 'openai'] = path.split('/')
  const preset = presets[protocol as Protocol] ?? presets.openai
  const [pathname = ''] = path.split('?')
  const parsed = parseBody(body)
  const ends = Object.entries(preset.clientEnds)
  if (pathname.endsWith('/responses')) {
    return { ...askedOf(body, parsed), wire: 'openai-responses', kind: 'chat', isJson: parsed?.text !== undefined }
  }
  const [kind, end] =
    ends.find(([name]) => pathname.endsWith(pathOf(protocol as Protocol, name as CallKind))) ?? ends[0]!
  return {
    ...askedOf(body, parsed),
    wire: end.wire,
    kind: kind as CallKind,
    isJson: parsed?.response_format !== undefined,
  }
}

function askedOf(body: Buffer, parsed: ReturnType<typeof parseBody>) {
  const text = /nonce-[0-9a-z]+( \[[A-Z_]+\d+\])?/.exec(body.toString('latin1'))?.[0] ?? 'Hello there'
  return { isStream: parsed?.stream === true, text, body }
}

function parseBody(
  body: Buffer,
): { readonly stream?: unknown; readonly response_format?: unknown; readonly text?: unknown } | undefined {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

function pathOf(protocol: Protocol, kind: CallKind): string {
  const preset = presets[protocol] ?? presets.openai
  return preset.path(kind, `model-${protocol}`, preset.apiVersion).split('?')[0] as string
}
