import { expect, test } from 'bun:test'
import { type Family, mergeHistograms, observe, openHistogram, scaleHistogram } from './family.ts'
import { renderPrometheus } from './prometheus-text.ts'

const base = { help: 'What it is.', labels: ['deployment', 'gen_ai.token.type'], unit: '{token}' } as const

function histogramOf(...values: number[]) {
  const histogram = openHistogram([0.1, 1, 10])
  for (const value of values) observe(histogram, value)
  return histogram
}

test('counters, gauges and histograms as Prometheus reads them', () => {
  const families: Family[] = [
    { ...base, name: 'ponto.tokens', kind: 'counter', samples: [{ labels: ['gpt', 'input'], value: 3 }] },
    {
      ...base,
      name: 'ponto.files.size',
      kind: 'gauge',
      unit: 'By',
      labels: [],
      samples: [{ labels: [], value: 1e21 }],
    },
    { ...base, name: 'empty', kind: 'gauge', samples: [] },
    {
      ...base,
      name: 'gen_ai.server.request.duration',
      kind: 'histogram',
      unit: 's',
      samples: [{ labels: ['gpt', 'input'], histogram: histogramOf(0.1, 0.5, 99) }],
    },
    {
      ...base,
      name: 'azure_ModelRequests',
      kind: 'counter',
      isVerbatim: true,
      labels: [],
      samples: [{ labels: [], value: 1 }],
    },
  ]
  expect(renderPrometheus(families)).toBe(`# HELP ponto_tokens_total What it is.
# TYPE ponto_tokens_total counter
ponto_tokens_total{deployment="gpt",gen_ai_token_type="input"} 3
# HELP ponto_files_size_bytes What it is.
# TYPE ponto_files_size_bytes gauge
ponto_files_size_bytes 1e+21
# HELP empty What it is.
# TYPE empty gauge
# HELP gen_ai_server_request_duration_seconds What it is.
# TYPE gen_ai_server_request_duration_seconds histogram
gen_ai_server_request_duration_seconds_bucket{deployment="gpt",gen_ai_token_type="input",le="0.1"} 1
gen_ai_server_request_duration_seconds_bucket{deployment="gpt",gen_ai_token_type="input",le="1"} 2
gen_ai_server_request_duration_seconds_bucket{deployment="gpt",gen_ai_token_type="input",le="10"} 2
gen_ai_server_request_duration_seconds_bucket{deployment="gpt",gen_ai_token_type="input",le="+Inf"} 3
gen_ai_server_request_duration_seconds_sum{deployment="gpt",gen_ai_token_type="input"} 99.6
gen_ai_server_request_duration_seconds_count{deployment="gpt",gen_ai_token_type="input"} 3
# HELP azure_ModelRequests What it is.
# TYPE azure_ModelRequests counter
azure_ModelRequests 1
`)
})

test('names that operators choose cannot break out of a label', () => {
  const labels = ['a"} 1\nevil{x="', 'back\\slash']
  const text = renderPrometheus([{ ...base, name: 'x', kind: 'gauge', samples: [{ labels, value: 1 }] }])
  expect(text.split('\n')[2]).toBe('x{deployment="a\\"} 1\\nevil{x=\\"",gen_ai_token_type="back\\\\slash"} 1')
})

test('what is no number is not observed, and what is merged is added up without touching its parts', () => {
  const one = histogramOf(0.05, Number.NaN, -1)
  const two = histogramOf(5)
  expect(one).toMatchObject({ count: 1, sum: 0.05 })
  const merged = mergeHistograms([
    { labels: ['a'], histogram: one },
    { labels: ['b'], histogram: histogramOf() },
    { labels: ['a'], histogram: two },
  ])
  expect(merged).toEqual([
    { labels: ['a'], histogram: { bounds: [0.1, 1, 10], counts: [1, 0, 1, 0], sum: 5.05, count: 2 } },
  ])
  expect([one.count, two.count]).toEqual([1, 1])
  expect(scaleHistogram(two, 1000)).toEqual({ bounds: [100, 1000, 10_000], counts: [0, 0, 1, 0], sum: 5000, count: 1 })
})
