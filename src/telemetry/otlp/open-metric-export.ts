import { ValueType } from '@opentelemetry/api'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import type { Resource } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  DataPointType,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics'
import type { Family, Sample } from '../metrics/family.ts'
import { toHrTime, within } from './open-trace-export.ts'
import { createOutcome, type ExportCounts } from './outcome.ts'
import { scope } from './resource.ts'
import type { OtlpSettings } from './settings.ts'

export type MetricExport = { readonly counts: ExportCounts; close(): Promise<void> }

/** Sends the families every so often, and once more at the end. Counts are those since `startedAt`, in unix milliseconds. */
export function openMetricExport(
  settings: NonNullable<OtlpSettings['metrics']>,
  resource: Resource,
  collect: () => Promise<readonly Family[]>,
  startedAt: number,
  onProblem: (text: string) => void,
): MetricExport {
  const exporter = new OTLPMetricExporter()
  const { counts, settle } = createOutcome('metrics', onProblem)
  const counting: PushMetricExporter = {
    export(metrics, done) {
      exporter.export(metrics, (result) => {
        settle(1, result.error ?? (result.code === 0 ? undefined : new Error('they were not taken')))
        done(result)
      })
    },
    selectAggregationTemporality: () => AggregationTemporality.CUMULATIVE,
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  }
  const reader = new PeriodicExportingMetricReader({
    exporter: counting,
    exportIntervalMillis: Math.max(settings.intervalMs, settings.timeoutMs),
    exportTimeoutMillis: Math.min(settings.intervalMs, settings.timeoutMs),
    metricProducers: [
      {
        async collect() {
          const at = Date.now()
          const metrics = (await collect()).map((family) => toMetric(family, startedAt, at))
          return { resourceMetrics: { resource, scopeMetrics: [{ scope, metrics }] }, errors: [] }
        },
      },
    ],
  })
  const provider = new MeterProvider({ resource, readers: [reader] })
  return {
    counts,
    async close() {
      await within(provider.shutdown())
    },
  }
}

function toMetric(family: Family, startedAt: number, at: number): MetricData {
  const { name, help, unit, kind, labels, samples } = family
  const base = {
    descriptor: { name, description: help, unit, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  }
  const point = <T>(sample: Sample, value: T) => ({
    startTime: toHrTime(startedAt),
    endTime: toHrTime(at),
    attributes: attributesOf(labels, sample),
    value,
  })
  if (kind === 'histogram') {
    const dataPoints = samples.flatMap((sample) => {
      if (!('histogram' in sample)) return []
      const { bounds, counts, sum, count } = sample.histogram
      return [point(sample, { buckets: { boundaries: [...bounds], counts: [...counts] }, sum, count })]
    })
    return { ...base, dataPointType: DataPointType.HISTOGRAM, dataPoints }
  }
  const dataPoints = samples.flatMap((sample) => ('value' in sample ? [point(sample, sample.value)] : []))
  if (kind === 'gauge') return { ...base, dataPointType: DataPointType.GAUGE, dataPoints }
  return { ...base, dataPointType: DataPointType.SUM, dataPoints, isMonotonic: true }
}

/** What says nothing is left out, as the conventions have it. */
function attributesOf(labels: readonly string[], sample: Sample): Record<string, string> {
  return Object.fromEntries(
    labels.flatMap((label, i) => (sample.labels[i] ? [[label, sample.labels[i] as string]] : [])),
  )
}
