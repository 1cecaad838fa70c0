import { expect, test } from 'bun:test'
import { readOtlpSettings } from './settings.ts'

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }
const what = (env: Record<string, string>) => {
  const { traces, metrics } = readOtlpSettings(env)
  return [traces !== undefined, metrics !== undefined]
}

test.each<[string, Record<string, string>, readonly [boolean, boolean]]>([
  ['nothing is said', {}, [false, false]],
  ['an address is given', endpoint, [true, true]],
  ['one for traces alone', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c/v1/traces' }, [true, false]],
  ['the exporter is named', { OTEL_METRICS_EXPORTER: 'otlp' }, [false, true]],
  ['one is switched off', { ...endpoint, OTEL_TRACES_EXPORTER: 'none' }, [false, true]],
  ['metrics are fetched', { ...endpoint, OTEL_METRICS_EXPORTER: 'prometheus' }, [true, false]],
  ['all is switched off', { ...endpoint, OTEL_SDK_DISABLED: 'true' }, [false, false]],
  ['empty variables', { OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_TRACES_EXPORTER: '' }, [false, false]],
])('traces and metrics are sent or not: %s', (_case, env, expected) => {
  expect(what(env)).toEqual([...expected])
})

test('what is given is kept to, and the rest is as the standard says', () => {
  const given = {
    ...endpoint,
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.1',
    OTEL_BSP_MAX_QUEUE_SIZE: '100',
    OTEL_METRIC_EXPORT_INTERVAL: '5000',
  }
  expect(readOtlpSettings(given)).toEqual({
    traces: {
      sampler: { isParentBased: false, ratio: 0.1 },
      delayMs: 5_000,
      timeoutMs: 30_000,
      maxQueued: 100,
      maxBatch: 100,
    },
    metrics: { intervalMs: 5_000, timeoutMs: 30_000 },
  })
  expect(readOtlpSettings(endpoint).traces?.sampler).toEqual({ isParentBased: true, ratio: 1 })
})

test.each<[string, string]>([
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
  ['OTEL_EXPORTER_OTLP_METRICS_PROTOCOL', 'http/json'],
  ['OTEL_TRACES_EXPORTER', 'zipkin'],
  ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
  ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'collector'],
  ['OTEL_BSP_MAX_QUEUE_SIZE', '0'],
  ['OTEL_METRIC_EXPORT_INTERVAL', '1m'],
])('%s=%s is refused by its name', (name, value) => {
  expect(() => readOtlpSettings({ ...endpoint, [name]: value })).toThrow(
    `${name}="${value}" cannot be used. It must be`,
  )
})

test('a share is from 0 to 1', () => {
  const env = { ...endpoint, OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' }
  expect(() => readOtlpSettings(env)).toThrow('OTEL_TRACES_SAMPLER_ARG="2"')
})
