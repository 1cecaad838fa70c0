import type { ResourceId } from '../../core/resource.ts'
import { region } from '../../gateway/answer/respond.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { type CallFacts, createCallFacts } from '../../telemetry/metrics/call-facts.ts'
import type { Family } from '../../telemetry/metrics/family.ts'
import { azureFamilies } from '../../telemetry/metrics/views/azure-families.ts'
import { genAiFamilies } from '../../telemetry/metrics/views/genai-families.ts'
import { pontoFamilies } from '../../telemetry/metrics/views/ponto-families.ts'
import { type CallObserver, observeCalls, type Tracing } from '../../telemetry/observe-calls.ts'
import type { MetricExport } from '../../telemetry/otlp/open-metric-export.ts'
import { type OtlpEnvironment, readOtlpSettings } from '../../telemetry/otlp/settings.ts'
import { createSampler } from '../../telemetry/traces/sampler.ts'
import { createMetricsEndpoint, type FamilyName, familyNames } from './metrics-endpoint.ts'
import { describeTelling, type Exports } from './own-families.ts'
import { createProcessFamilies } from './process-families.ts'
import { limitFamilies, type StateParts, stateFamilies, storedFamilies } from './state-families.ts'

export type TelemetryParts = {
  readonly version: string
  /** Unlike that of every other server. */
  readonly instance: string
  /** What opens `/metrics`. */
  readonly credentials: readonly string[]
  isResourceKey(key: string): boolean
  nameResource(id: ResourceId | undefined): string
  readonly otel: OtlpEnvironment
  readonly log: Logger
}

/** Further families, of parts that count for themselves. */
export type FamilySource = () => readonly Family[]

export type Telemetry = {
  readonly observer: CallObserver
  /** What the rest is asked of, once it is there. */
  connect(state: StateParts, sources?: readonly FamilySource[]): void
  readonly serveMetrics: (request: Request, url: URL) => Promise<Response>
  /** Sends what is left, for a moment at most. */
  close(): Promise<void>
}

/** A part that does not answer is left out of what is told, and said to be. */
const askWithinMs = 2_000
/** What a database has to be asked need not be news. */
const storedForMs = 10_000

/**
 * Counts and traces calls, and tells of it: to whoever asks for `/metrics`, and to a collector where one is configured, for which alone
 * the code is loaded. Rejects with Fault `invalid-request` for a setting that cannot be kept to.
 */
export async function openTelemetry(parts: TelemetryParts): Promise<Telemetry> {
  const { log, version } = parts
  const settings = readOtlpSettings(parts.otel)
  const startedAt = Date.now()
  const facts = createCallFacts()
  const ofProcess = createProcessFamilies(startedAt)
  const failures = new Map<string, number>()
  const exports: Exports[number][] = []
  let state: StateParts | undefined
  let sources: readonly FamilySource[] = []
  let stored: { readonly at: number; readonly families: readonly Family[] } | undefined

  async function readStored(from: StateParts): Promise<readonly Family[]> {
    if (stored && Date.now() - stored.at < storedForMs) return stored.families
    const families = await storedFamilies(from)
    stored = { at: Date.now(), families }
    return families
  }

  /** undefined where it fails, or takes too long. */
  async function ask<T>(source: string, answer: Promise<T>): Promise<T | undefined> {
    const { promise: late, resolve } = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => resolve(undefined), askWithinMs)
    const found = await Promise.race([answer.catch(() => undefined), late])
    clearTimeout(timer)
    failures.set(source, (failures.get(source) ?? 0) + (found === undefined ? 1 : 0))
    return found
  }

  async function collect(names: ReadonlySet<FamilyName>): Promise<readonly Family[]> {
    const from = state
    if (from) forgetRemoved(facts, from)
    const needsLimits = names.has('ponto') || names.has('azure')
    const [limits, ofStore] = await Promise.all([
      from && needsLimits ? ask('counters', limitFamilies(from)) : undefined,
      from && names.has('ponto') ? ask('database', readStored(from)) : undefined,
    ])
    return [
      ...(names.has('ponto')
        ? [
            ...pontoFamilies(facts),
            ...(limits?.families ?? []),
            ...(from ? stateFamilies(from) : []),
            ...(ofStore ?? []),
            ...sources.flatMap((source) => source()),
            ...describeTelling(version, failures, exports),
          ]
        : []),
      ...(names.has('gen_ai') ? genAiFamilies(facts) : []),
      ...(names.has('azure') ? azureFamilies(facts, region, limits?.utilizations ?? []) : []),
      ...(names.has('process') ? ofProcess.collect() : []),
    ]
  }

  const onProblem = (text: string) => log.warn({}, text)
  let tracing: Tracing | undefined
  const closing: (() => Promise<void>)[] = []
  if (settings.traces || settings.metrics) {
    const { describeServer } = await import('../../telemetry/otlp/resource.ts')
    const server = describeServer(version, parts.instance)
    if (settings.traces) {
      const { openTraceExport } = await import('../../telemetry/otlp/open-trace-export.ts')
      const traces = openTraceExport(settings.traces, server, onProblem)
      tracing = { sample: createSampler(settings.traces.sampler), take: traces.take }
      exports.push({ signal: 'spans', counts: traces.counts })
      closing.push(traces.close)
    }
    if (settings.metrics) {
      const { openMetricExport } = await import('../../telemetry/otlp/open-metric-export.ts')
      // Azure's names are for dashboards that ask Prometheus; what a collector gets has the names of the conventions.
      const told = new Set(familyNames.filter((name) => name !== 'azure'))
      const ofMetrics: MetricExport = openMetricExport(
        settings.metrics,
        server,
        () => collect(told),
        startedAt,
        onProblem,
      )
      exports.push({ signal: 'metrics', counts: ofMetrics.counts })
      closing.push(ofMetrics.close)
    }
  }

  return {
    observer: observeCalls(facts, tracing, parts.nameResource),
    connect(newState, newSources = []) {
      state = newState
      sources = newSources
    },
    serveMetrics: createMetricsEndpoint({ ...parts, collect }),
    async close() {
      await Promise.all(closing.map((close) => close()))
      ofProcess.close()
    },
  }
}

/** Names that were deployments once are labels no more. */
function forgetRemoved(facts: CallFacts, { listDeployments }: StateParts): void {
  const there = new Set(listDeployments().map(({ resource, deployment }) => `${resource}\n${deployment.name}`))
  facts.keepOnly((deployment, resource) => there.has(`${resource}\n${deployment}`))
}
