import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import { metricFamilies } from '../docs/generate/metric-families.ts'
import { labelName, prometheusName } from '../src/telemetry/metrics/prometheus-text.ts'
import { listExpressions } from './support/expressions.ts'
import { findProgram, withProgram } from './support/find-program.ts'
import { readSelectors } from './support/promql.ts'

/** The dashboard, the alerts and the rules ask for what the server tells, by labels that it has. */

const folder = resolve(import.meta.dir, '../deploy/prometheus')

const known = new Map<string, readonly string[]>()
for (const family of Object.values(metricFamilies).flat()) {
  const name = prometheusName(family)
  const labels = family.labels.map(labelName)
  if (family.kind === 'histogram') {
    known.set(`${name}_bucket`, [...labels, 'le'])
    for (const ending of ['sum', 'count']) known.set(`${name}_${ending}`, labels)
  } else known.set(name, labels)
}
/** What Prometheus knows by itself, and what the rules make. */
const given = ['job', 'instance']
known.set('up', [])
for (const { rules } of parse(readFileSync(join(folder, 'azure-rules.yml'), 'utf8')).groups) {
  for (const { record } of rules) known.set(record, known.get('azure_ModelRequests') as string[])
}

test('names are told once, and are such that Prometheus and a collector take', () => {
  const names = Object.values(metricFamilies)
    .flat()
    .map((family) => prometheusName(family))
  expect(names).toEqual([...new Set(names)])
  for (const [name, labels] of known) {
    expect(name).toMatch(/^[a-zA-Z_][a-zA-Z0-9_]*$/)
    expect(labels).toEqual([...new Set(labels)])
  }
})

test.each(listExpressions())('%s: %s', (_where, expression) => {
  const { metrics, grouped } = readSelectors(expression)
  expect(metrics.length).toBeGreaterThan(0)
  for (const { name, labels } of metrics) {
    expect([...known.keys()]).toContain(name)
    expect(labels.filter((label) => !known.get(name)?.includes(label) && !given.includes(label))).toEqual([])
  }
  const all = [...given, ...metrics.flatMap(({ name }) => known.get(name) ?? [])]
  expect(grouped.filter((label) => !all.includes(label))).toEqual([])
})

describe('the reader of expressions', () => {
  test.each([
    ['sum by (le, a) (rate(x_bucket{b="by (c) d", e=~"f{2}"}[5m])) > 0.5', ['x_bucket'], ['b', 'e'], ['le', 'a']],
    ['a unless on (k) sum(b offset 5m) or c{d!="e"}', ['a', 'b', 'c'], ['d'], ['k']],
    ['label_values(x{y="z"}, v)', ['x', 'v'], ['y'], []],
  ])('%s', (expression, names, labels, grouped) => {
    const read = readSelectors(expression)
    expect(read.metrics.map(({ name }) => name)).toEqual(names)
    expect(read.metrics.flatMap((metric) => metric.labels)).toEqual(labels)
    expect(read.grouped).toEqual(grouped)
  })
})

const promtool = findProgram('PROMTOOL', 'promtool')

withProgram('alerts and rules, by Prometheus itself', promtool, 'promtool', () => {
  test.each([
    'check rules alerts.yml azure-rules.yml',
    'test rules alerts.test.yml',
    'check config --syntax-only prometheus.yml',
  ])('promtool %s', (command) => {
    const { status, stdout, stderr } = spawnSync(promtool as string, command.split(' '), {
      cwd: folder,
      encoding: 'utf8',
    })
    expect([status, status === 0 ? '' : stdout + stderr]).toEqual([0, ''])
  })
})
