import { Fault } from '../../core/fault.ts'
import type { SamplerSettings } from '../traces/sampler.ts'

/** Variables of the environment whose names begin with OTEL_. */
export type OtlpEnvironment = Readonly<Record<string, string | undefined>>

/**
 * What goes to a collector; undefined is nothing. Where it is, and how it is spoken to (OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS, _TIMEOUT,
 * _COMPRESSION, certificates), and what the server calls itself (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES), the exporters read themselves.
 */
export type OtlpSettings = {
  readonly traces:
    | {
        readonly sampler: SamplerSettings
        readonly delayMs: number
        readonly timeoutMs: number
        readonly maxQueued: number
        readonly maxBatch: number
      }
    | undefined
  readonly metrics: { readonly intervalMs: number; readonly timeoutMs: number } | undefined
}

/** Throws Fault `invalid-request` for a value that cannot be kept to: telemetry that is missing should be noticed at the start. */
export function readOtlpSettings(env: OtlpEnvironment): OtlpSettings {
  if (/^true$/i.test(env.OTEL_SDK_DISABLED ?? '')) return { traces: undefined, metrics: undefined }
  return {
    traces: isExported(env, 'TRACES', []) ? readTraces(env) : undefined,
    metrics: isExported(env, 'METRICS', ['prometheus'])
      ? {
          intervalMs: readWhole(env, 'OTEL_METRIC_EXPORT_INTERVAL', 60_000),
          timeoutMs: readWhole(env, 'OTEL_METRIC_EXPORT_TIMEOUT', 30_000),
        }
      : undefined,
  }
}

type Signal = 'TRACES' | 'METRICS'

/** With an address it is, unless told otherwise. `others` are exporters that need nothing to be sent. */
function isExported(env: OtlpEnvironment, signal: Signal, others: readonly string[]): boolean {
  const exporterName = `OTEL_${signal}_EXPORTER`
  const exporter = env[exporterName] || undefined
  const names = [`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`, 'OTEL_EXPORTER_OTLP_ENDPOINT']
  const endpointName = names.find((name) => env[name])
  if (exporter === 'none' || (exporter !== undefined && others.includes(exporter))) return false
  if (exporter !== undefined && exporter !== 'otlp') {
    throw invalid(env, exporterName, `It must be ${['otlp', ...others].join(', ')} or none.`)
  }
  if (exporter === undefined && endpointName === undefined) return false
  if (endpointName !== undefined && !/^https?:$/.test(URL.parse(env[endpointName] as string)?.protocol ?? '')) {
    throw invalid(env, endpointName, 'It must be an address that begins with http:// or https://.')
  }
  requireProtocol(env, signal)
  return true
}

function requireProtocol(env: OtlpEnvironment, signal: Signal): void {
  const name = [`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`, 'OTEL_EXPORTER_OTLP_PROTOCOL'].find((name) => env[name])
  if (name === undefined || env[name] === 'http/protobuf') return
  throw invalid(env, name, 'It must be http/protobuf, which collectors take on port 4318.')
}

function readTraces(env: OtlpEnvironment): NonNullable<OtlpSettings['traces']> {
  const maxQueued = readWhole(env, 'OTEL_BSP_MAX_QUEUE_SIZE', 2048)
  return {
    sampler: readSampler(env),
    delayMs: readWhole(env, 'OTEL_BSP_SCHEDULE_DELAY', 5_000),
    timeoutMs: readWhole(env, 'OTEL_BSP_EXPORT_TIMEOUT', 30_000),
    maxQueued,
    maxBatch: Math.min(maxQueued, readWhole(env, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512)),
  }
}

const samplers: Readonly<Record<string, { readonly isParentBased: boolean; readonly ratio: number | 'given' }>> = {
  always_on: { isParentBased: false, ratio: 1 },
  always_off: { isParentBased: false, ratio: 0 },
  traceidratio: { isParentBased: false, ratio: 'given' },
  parentbased_always_on: { isParentBased: true, ratio: 1 },
  parentbased_always_off: { isParentBased: true, ratio: 0 },
  parentbased_traceidratio: { isParentBased: true, ratio: 'given' },
}

function readSampler(env: OtlpEnvironment): SamplerSettings {
  const sampler = samplers[env.OTEL_TRACES_SAMPLER || 'parentbased_always_on']
  if (!sampler) throw invalid(env, 'OTEL_TRACES_SAMPLER', `It must be one of ${Object.keys(samplers).join(', ')}.`)
  const { isParentBased, ratio } = sampler
  return { isParentBased, ratio: ratio === 'given' ? readRatio(env) : ratio }
}

function readRatio(env: OtlpEnvironment): number {
  const ratio = Number(env.OTEL_TRACES_SAMPLER_ARG || 1)
  if (ratio >= 0 && ratio <= 1) return ratio
  throw invalid(env, 'OTEL_TRACES_SAMPLER_ARG', 'It must be a number from 0 to 1.')
}

const mostWhole = 2 ** 31 - 1

function readWhole(env: OtlpEnvironment, name: string, fallback: number): number {
  const text = env[name] || undefined
  if (text === undefined) return fallback
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= mostWhole) return value
  throw invalid(env, name, `It must be a whole number from 1 to ${mostWhole}.`)
}

function invalid(env: OtlpEnvironment, name: string, advice: string): Fault {
  return new Fault('invalid-request', `${name}=${JSON.stringify(env[name])} cannot be used. ${advice}`)
}
