import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

/** A collector on loopback: takes spans and metrics as OTLP over HTTP in protobuf, and reads of them what tests look at. */

export type ReceivedSpan = {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly name: string
  readonly kind: number
  /** Nanoseconds of unix time. */
  readonly start: bigint
  readonly end: bigint
  readonly attributes: Attributes
  readonly status: number
  readonly resource: Attributes
}

export type ReceivedMetric = {
  readonly name: string
  readonly unit: string
  readonly kind: 'gauge' | 'sum' | 'histogram'
  readonly points: readonly { readonly attributes: Attributes; readonly value: number; readonly count: number }[]
}

type Attributes = Readonly<Record<string, string | number | boolean>>

export type OtlpReceiver = {
  readonly url: string
  readonly spans: ReceivedSpan[]
  /** The last report. */
  metrics(): readonly ReceivedMetric[]
  /** Headers of every request. */
  readonly headers: Record<string, string | string[] | undefined>[]
  /** How it answers from now on; with `never` it does not. */
  answer(status: number | 'never'): void
  stop(): Promise<void>
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = []
  const headers: OtlpReceiver['headers'] = []
  let metrics: readonly ReceivedMetric[] = []
  let status: number | 'never' = 200
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    headers.push(request.headers)
    if (status === 'never') return
    const sent = Buffer.concat(pieces)
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent
    if (status === 200 && request.url === '/v1/traces') spans.push(...readSpans(body))
    if (status === 200 && request.url === '/v1/metrics') metrics = readMetrics(body)
    response.writeHead(status, { 'content-type': 'application/x-protobuf' }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    metrics: () => metrics,
    headers,
    answer(next) {
      status = next
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

/** The fields of a protobuf message by their numbers: numbers as they are on the wire, all else as bytes. */
function readMessage(bytes: Buffer): Map<number, (bigint | Buffer)[]> {
  const fields = new Map<number, (bigint | Buffer)[]>()
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const octet = bytes[at++] as number
      value |= BigInt(octet & 0x7f) << shift
      if (octet < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const wire = tag & 7
    const length = wire === 2 ? Number(varint()) : wire === 1 ? 8 : 4
    const value = wire === 0 ? varint() : bytes.subarray(at, at + length)
    if (wire !== 0) at += length
    const known = fields.get(tag >> 3)
    if (known) known.push(value)
    else fields.set(tag >> 3, [value])
  }
  return fields
}

type Message = ReturnType<typeof readMessage>

const messages = (message: Message, field: number) =>
  (message.get(field) ?? []).map((value) => readMessage(value as Buffer))
const first = (message: Message, field: number) => message.get(field)?.[0]
const text = (message: Message, field: number) => ((first(message, field) as Buffer | undefined) ?? '').toString()
const hex = (message: Message, field: number) => ((first(message, field) as Buffer) ?? Buffer.alloc(0)).toString('hex')
const fixed = (message: Message, field: number) =>
  ((first(message, field) as Buffer) ?? Buffer.alloc(8)).readBigUInt64LE()
const double = (message: Message, field: number) =>
  ((first(message, field) as Buffer) ?? Buffer.alloc(8)).readDoubleLE()

function readAttributes(message: Message | undefined, field: number): Attributes {
  return Object.fromEntries(
    (message ? messages(message, field) : []).map((pair) => [
      text(pair, 1),
      readValue(messages(pair, 2)[0] as Message),
    ]),
  )
}

function readValue(value: Message): string | number | boolean {
  if (value.has(2)) return first(value, 2) === 1n
  if (value.has(3)) return Number(first(value, 3))
  return value.has(4) ? double(value, 4) : text(value, 1)
}

function readSpans(body: Buffer): ReceivedSpan[] {
  return messages(readMessage(body), 1).flatMap((ofResource) =>
    messages(ofResource, 2).flatMap((ofScope) =>
      messages(ofScope, 2).map((span) => ({
        traceId: hex(span, 1),
        spanId: hex(span, 2),
        parentSpanId: hex(span, 4),
        name: text(span, 5),
        kind: Number(first(span, 6)),
        start: fixed(span, 7),
        end: fixed(span, 8),
        attributes: readAttributes(span, 9),
        status: Number(messages(span, 15)[0]?.get(3)?.[0] ?? 0),
        resource: readAttributes(messages(ofResource, 1)[0], 1),
      })),
    ),
  )
}

function readMetrics(body: Buffer): ReceivedMetric[] {
  return messages(readMessage(body), 1).flatMap((ofResource) =>
    messages(ofResource, 2).flatMap((ofScope) =>
      messages(ofScope, 2).map((metric) => {
        const [kind, field] = metric.has(5)
          ? (['gauge', 5] as const)
          : metric.has(7)
            ? (['sum', 7] as const)
            : (['histogram', 9] as const)
        const points = messages(messages(metric, field)[0] as Message, 1)
        return {
          name: text(metric, 1),
          unit: text(metric, 3),
          kind,
          points: points.map((point) =>
            kind === 'histogram'
              ? { attributes: readAttributes(point, 9), value: double(point, 5), count: Number(fixed(point, 4)) }
              : { attributes: readAttributes(point, 7), value: double(point, 4), count: 1 },
          ),
        }
      }),
    ),
  )
}
