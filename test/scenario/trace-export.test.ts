import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { emptyResource } from '@opentelemetry/resources'
import { openTraceExport, type TraceExport } from '../../src/telemetry/otlp/open-trace-export.ts'
import type { Span } from '../../src/telemetry/traces/call-spans.ts'
import { makeSpanId, makeTraceId } from '../../src/telemetry/traces/trace-context.ts'
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts'

/** What becomes of spans when the collector is slow or away. */

let collector: OtlpReceiver
let traces: TraceExport
const problems: string[] = []

beforeAll(async () => {
  collector = await startOtlpReceiver()
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = collector.url
  process.env.OTEL_EXPORTER_OTLP_TIMEOUT = '300'
})
afterAll(async () => {
  delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT
  delete process.env.OTEL_EXPORTER_OTLP_TIMEOUT
  await collector.stop()
})
afterEach(async () => {
  collector.answer(200)
  collector.spans.length = 0
  problems.length = 0
  await traces.close()
})

function open(): void {
  const sampler = { isParentBased: true, ratio: 1 }
  const settings = { sampler, delayMs: 5, timeoutMs: 400, maxQueued: 100, maxBatch: 50 }
  traces = openTraceExport(settings, emptyResource(), (text) => problems.push(text))
}

const makeSpans = (count: number): Span[] =>
  Array.from({ length: count }, (_, i) => ({
    name: `span ${i}`,
    kind: 'internal',
    context: { traceId: makeTraceId(), spanId: makeSpanId(), flags: 1, state: undefined },
    parentSpanId: '',
    isParentRemote: false,
    startMs: 1_700_000_000_000.25,
    endMs: 1_700_000_000_001.5,
    attributes: { text: 'a', whole: 3, part: 0.5, is: true },
    error: undefined,
  }))

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(5)
}

test('spans arrive as they were, to the microsecond', async () => {
  open()
  traces.take(makeSpans(3))
  await until(() => traces.counts.sent === 3)
  expect(collector.spans.map(({ name }) => name)).toEqual(['span 0', 'span 1', 'span 2'])
  expect(collector.spans[0]).toMatchObject({
    parentSpanId: '',
    start: 1_700_000_000_000_250_000n,
    end: 1_700_000_000_001_500_000n,
    attributes: { text: 'a', whole: 3, part: 0.5, is: true },
  })
})

test('while nothing is taken a bounded number waits, the rest is dropped, and it is told of once', async () => {
  open()
  collector.answer('never')
  traces.take(makeSpans(10_000))
  expect(traces.counts.dropped).toBe(9_900)
  await until(() => traces.counts.failed === 100)
  expect(problems).toEqual([expect.stringContaining('spans do not reach the collector')])
  collector.answer(200)
  traces.take(makeSpans(10))
  await until(() => traces.counts.sent === 10)
  expect(traces.counts).toEqual({ sent: 10, failed: 100, dropped: 9_900 })
})

test('what waits at the end is sent', async () => {
  open()
  traces.take(makeSpans(80))
  await traces.close()
  expect(collector.spans).toHaveLength(80)
})
