import { expect, test } from 'bun:test'
import { makeDeployment } from '../../core/exchange.fixture.ts'
import type { Backend } from '../../core/reply.ts'
import type { CounterRule } from '../../port/counters/port.ts'
import type { Family } from '../../telemetry/metrics/family.ts'
import { limitFamilies, type StateParts, stateFamilies, storedFamilies } from './state-families.ts'

const backend = (id: string): Backend => ({
  id,
  kinds: new Set(['chat']),
  send: () => Promise.reject(new Error('not asked')),
  probe: () => Promise.reject(new Error('not asked')),
})

const standard = makeDeployment({
  name: 'standard',
  limits: {
    kind: 'rate',
    tokens: { limit: 1_000, windowMs: 60_000 },
    requests: { limit: 6, windowMs: 10_000 },
    settles: true,
    pool: undefined,
  },
  routes: [
    { backend: backend('a'), priority: 0, weight: 1 },
    { backend: backend('b'), priority: 0, weight: 1 },
  ],
})
const provisioned = makeDeployment({
  name: 'provisioned',
  limits: { kind: 'provisioned', inputTokensPerMinute: 5_000, outputWeight: 4, concurrency: 3 },
  routes: [{ backend: backend('b'), priority: 0, weight: 1 }],
})

const asked: CounterRule[] = []
const parts: StateParts = {
  listDeployments: () => [standard, provisioned].map((deployment) => ({ resource: 'contoso', deployment })),
  counters: {
    read(rules) {
      asked.push(...rules)
      return rules.map((_, i) => ({ used: 250 * (i + 1), resetMs: 0 }))
    },
    degradedReason: () => 'it is away',
  },
  health: { stateOf: (id) => (id === 'b' ? 'open' : 'closed') },
  tables: {
    batches: {
      sumRunning: async () => [
        { status: 'in_progress', batches: 2, lines: 10, completed: 3, failed: 1 },
        { status: 'validating', batches: 1, lines: 0, completed: 0, failed: 0 },
      ],
    },
    files: { sumAll: async () => ({ files: 4, bytes: 2 ** 40 }) },
  },
  builtins: { models: [], find: () => undefined, stop: async () => {} },
  countUnstored: () => 7,
  configError: () => 'line 3',
}

const tell = (families: readonly Family[], name: string) =>
  families
    .find((family) => family.name === name)
    ?.samples.map((sample) => [...sample.labels, 'value' in sample ? sample.value : Number.NaN])

test('limits are told with what is taken of them, read with one question', async () => {
  const { families, utilizations } = await limitFamilies(parts)
  expect(tell(families, 'ponto.limit.capacity')).toEqual([
    ['contoso', 'standard', 'deployment', 'tokens', '60', 1_000],
    ['contoso', 'standard', 'deployment', 'requests', '10', 6],
    ['contoso', 'provisioned', 'deployment', 'units', '', 5_000],
    ['contoso', 'provisioned', 'deployment', 'slots', '', 3],
  ])
  expect(tell(families, 'ponto.limit.used')?.map((row) => row.at(-1))).toEqual([250, 500, 750, 1_000])
  expect(asked).toHaveLength(4)
  expect(utilizations).toEqual([
    { resource: 'contoso', deployment: 'provisioned', model: 'm', version: '1', percent: 15 },
  ])
  expect(tell(families, 'ponto.limits.degraded')).toEqual([[1]])
})

test('backends are told once, however many deployments have them', () => {
  const families = stateFamilies(parts)
  expect(tell(families, 'ponto.backend.breaker')).toEqual([
    ['a', 'closed', 1],
    ['a', 'half-open', 0],
    ['a', 'open', 0],
    ['b', 'closed', 0],
    ['b', 'half-open', 0],
    ['b', 'open', 1],
  ])
  expect(tell(families, 'ponto.usage.waiting')).toEqual([[7]])
  expect(tell(families, 'ponto.config.error')).toEqual([[1]])
})

test('batches and files', async () => {
  const families = await storedFamilies(parts)
  expect(tell(families, 'ponto.batches')).toEqual([
    ['in_progress', 2],
    ['validating', 1],
  ])
  expect(tell(families, 'ponto.batch.lines.waiting')).toEqual([[6]])
  expect(tell(families, 'ponto.files.size')).toEqual([[2 ** 40]])
})
