import type { Deployment } from '../../core/deployment.ts'
import type { Builtins } from '../../engine/builtins.ts'
import { type Line, listOwnLines } from '../../policy/limit/demands.ts'
import type { CounterState, Counters } from '../../port/counters/port.ts'
import type { Tables } from '../../port/tables/port.ts'
import type { Health } from '../../route/health.ts'
import type { Family, Sample } from '../../telemetry/metrics/family.ts'
import type { Utilization } from '../../telemetry/metrics/views/azure-families.ts'

/** A deployment and the name of its resource. */
export type Placed = { readonly resource: string; readonly deployment: Deployment }

/** What a part of the server stands at, asked when somebody wants to know. */
export type StateParts = {
  listDeployments(): readonly Placed[]
  readonly counters: Pick<Counters, 'read' | 'degradedReason'>
  readonly health: Pick<Health, 'stateOf'>
  readonly tables: {
    readonly batches: Pick<Tables['batches'], 'sumRunning'>
    readonly files: Pick<Tables['files'], 'sumAll'>
  }
  readonly builtins: Builtins
  /** Rows of usage that wait to be stored. */
  countUnstored(): number
  configError(): string | undefined
}

const limitLabels = ['resource', 'deployment', 'owner', 'measure', 'window_seconds'] as const

/** What deployments may still let through, and how full provisioned ones are. */
export async function limitFamilies(
  parts: StateParts,
): Promise<{ readonly families: Family[]; readonly utilizations: Utilization[] }> {
  const lines = parts
    .listDeployments()
    .flatMap((placed) => linesOf(placed.deployment).map((line) => ({ ...placed, line })))
  const states = lines.length === 0 ? [] : await parts.counters.read(lines.map(({ line }) => line.rule))
  const used: Sample[] = []
  const capacity: Sample[] = []
  const utilizations: Utilization[] = []
  lines.forEach(({ resource, deployment, line }, i) => {
    const { owner, measure, rule } = line
    const window = rule.kind === 'window' ? String(rule.windowMs / 1000) : ''
    const labels = [resource, deployment.name, owner, measure, window]
    const state = states[i] as CounterState
    used.push({ labels, value: state.used })
    capacity.push({ labels, value: rule.kind === 'leaky' ? rule.depth : rule.limit })
    if (rule.kind !== 'leaky') return
    const { name: model, version } = deployment.model
    utilizations.push({
      resource,
      deployment: deployment.name,
      model,
      version,
      percent: (100 * state.used) / rule.depth,
    })
  })
  const base = { kind: 'gauge', unit: '{unit}', labels: limitLabels } as const
  return {
    utilizations,
    families: [
      {
        ...base,
        name: 'ponto.limit.capacity',
        help: 'What a limit lets through: tokens or requests in a window, calls at once, or the units that 100 % stand for.',
        samples: capacity,
      },
      { ...base, name: 'ponto.limit.used', help: 'What is taken of it.', samples: used },
      {
        ...base,
        name: 'ponto.limits.degraded',
        help: '1 while limits are counted without the store that servers share.',
        labels: [],
        samples: [{ labels: [], value: parts.counters.degradedReason() === undefined ? 0 : 1 }],
      },
    ],
  }
}

/** Deployments live as long as the configuration they came from. */
const ownLines = new WeakMap<Deployment, readonly Line[]>()

function linesOf(deployment: Deployment): readonly Line[] {
  let lines = ownLines.get(deployment)
  if (!lines) {
    lines = listOwnLines(deployment)
    ownLines.set(deployment, lines)
  }
  return lines
}

/** What needs nobody to be asked. */
export function stateFamilies({ listDeployments, health, builtins, ...parts }: StateParts): Family[] {
  const placed = listDeployments()
  const backends = new Set(placed.flatMap(({ deployment }) => deployment.routes.map(({ backend }) => backend.id)))
  const gauge = (name: string, help: string, labels: readonly string[], samples: readonly Sample[]): Family => ({
    ...{ name, help, kind: 'gauge', unit: '{item}', labels, samples },
  })
  const one = (name: string, help: string, value: number) => gauge(name, help, [], [{ labels: [], value }])
  return [
    one('ponto.deployments', 'Deployments.', placed.length),
    one(
      'ponto.config.error',
      '1 while the configuration file is wrong and its last valid state is used.',
      parts.configError() === undefined ? 0 : 1,
    ),
    one('ponto.usage.waiting', 'Rows of usage that wait to be stored.', parts.countUnstored()),
    gauge(
      'ponto.backend.breaker',
      '1 for the state that the breaker of a backend is in.',
      ['backend', 'state'],
      [...backends].flatMap((backend) =>
        states(['closed', 'half-open', 'open'], health.stateOf(backend)).map(([state, value]) => ({
          labels: [backend, state],
          value,
        })),
      ),
    ),
    gauge(
      'ponto.engine.state',
      '1 for the state that the engine of a built-in model is in.',
      ['model', 'state'],
      builtins.models.flatMap(({ name }) => {
        const state = builtins.find(name)?.current()?.state().state ?? 'stopped'
        return states(engineStates, state).map(([known, value]) => ({ labels: [name, known], value }))
      }),
    ),
    gauge(
      'ponto.engine.requests',
      'Requests in the engine of a built-in model.',
      ['model', 'state'],
      builtins.models.flatMap(({ name }) => {
        const state = builtins.find(name)?.current()?.state()
        if (!state) return []
        return [
          { labels: [name, 'running'], value: state.running },
          { labels: [name, 'waiting'], value: state.waiting },
        ]
      }),
    ),
    {
      name: 'ponto.engine.starts',
      help: 'How often the engine of a built-in model was started: more than once, and it was lost and came back.',
      kind: 'counter',
      unit: '{start}',
      labels: ['model'],
      samples: builtins.models.flatMap(({ name }) => {
        const state = builtins.find(name)?.current()?.state()
        return state ? [{ labels: [name], value: state.starts }] : []
      }),
    },
  ]
}

const engineStates = ['starting', 'ready', 'restarting', 'failed', 'stopped'] as const

function states<T extends string>(all: readonly T[], current: string): [T, number][] {
  return all.map((state) => [state, state === current ? 1 : 0])
}

/** What the database knows. Servers that share one all tell the same. */
export async function storedFamilies({ tables }: StateParts): Promise<Family[]> {
  const [sums, files] = await Promise.all([tables.batches.sumRunning(), tables.files.sumAll()])
  const waiting = sums.reduce((sum, { lines, completed, failed }) => sum + lines - completed - failed, 0)
  return [
    {
      name: 'ponto.batches',
      help: 'Batches that have not ended.',
      kind: 'gauge',
      unit: '{batch}',
      labels: ['status'],
      samples: sums.map(({ status, batches }) => ({ labels: [status], value: batches })),
    },
    {
      name: 'ponto.batch.lines.waiting',
      help: 'Lines of batches that have no answer yet.',
      kind: 'gauge',
      unit: '{line}',
      labels: [],
      samples: [{ labels: [], value: waiting }],
    },
    {
      name: 'ponto.files',
      help: 'Files that callers have.',
      kind: 'gauge',
      unit: '{file}',
      labels: [],
      samples: [{ labels: [], value: files.files }],
    },
    {
      name: 'ponto.files.size',
      help: 'What they come to.',
      kind: 'gauge',
      unit: 'By',
      labels: [],
      samples: [{ labels: [], value: files.bytes }],
    },
  ]
}
