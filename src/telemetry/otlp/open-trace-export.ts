import { setTimeout as sleep } from 'node:timers/promises'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import type { Resource } from '@opentelemetry/resources'
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace'
import type { Span } from '../traces/call-spans.ts'
import { createOutcome, type ExportCounts } from './outcome.ts'
import { scope } from './resource.ts'
import type { OtlpSettings } from './settings.ts'

export type TraceExport = {
  take(spans: readonly Span[]): void
  readonly counts: ExportCounts
  /** Sends what is left, for a moment at most. */
  close(): Promise<void>
}

type HrTime = [number, number]

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL }

/** What is taken when a server stops is given so long to get away. */
const closeWithinMs = 2_000

/**
 * Sends spans in batches. So many wait at most; when the collector is away or slow, those that come are dropped and counted. `onProblem` is
 * told once when sending fails, until it works again.
 */
export function openTraceExport(
  settings: NonNullable<OtlpSettings['traces']>,
  resource: Resource,
  onProblem: (text: string) => void,
): TraceExport {
  const exporter = new OTLPTraceExporter()
  const { counts, settle } = createOutcome('spans', onProblem)
  let waiting = 0
  const counting: SpanExporter = {
    export(spans, done) {
      exporter.export(spans, (result) => {
        waiting -= spans.length
        settle(spans.length, result.error ?? (result.code === 0 ? undefined : new Error('it was not taken')))
        done(result)
      })
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  }
  const processor = new BatchSpanProcessor({
    exporter: counting,
    maxQueueSize: settings.maxQueued,
    maxExportBatchSize: settings.maxBatch,
    scheduledDelayMillis: settings.delayMs,
    exportTimeoutMillis: settings.timeoutMs,
  })
  return {
    counts,
    take(spans) {
      for (const span of spans) {
        if (waiting >= settings.maxQueued) counts.dropped++
        else {
          waiting++
          processor.onEnd(toReadable(span, resource))
        }
      }
    },
    async close() {
      await within(processor.shutdown())
    },
  }
}

/** A collector that is away holds no stop up. */
export async function within(closing: Promise<void>): Promise<void> {
  const stop = new AbortController()
  const settled = closing.catch(() => {}).finally(() => stop.abort())
  await Promise.race([settled, sleep(closeWithinMs, undefined, { signal: stop.signal }).catch(() => {})])
}

function toReadable(span: Span, resource: Resource): ReadableSpan {
  const { context, parentSpanId, isParentRemote, startMs, endMs, error } = span
  const own = { traceId: context.traceId, spanId: context.spanId, traceFlags: context.flags }
  return {
    name: span.name,
    kind: kinds[span.kind],
    spanContext: () => own,
    ...(parentSpanId !== '' && { parentSpanContext: { ...own, spanId: parentSpanId, isRemote: isParentRemote } }),
    startTime: toHrTime(startMs),
    endTime: toHrTime(endMs),
    duration: toHrTime(endMs - startMs),
    status: error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: error },
    attributes: span.attributes,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

/** Seconds and nanoseconds. */
export function toHrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000)
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)]
}
