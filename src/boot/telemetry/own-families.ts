import type { Family } from '../../telemetry/metrics/family.ts'
import type { ExportCounts } from '../../telemetry/otlp/outcome.ts'

export type Exports = readonly { readonly signal: string; readonly counts: ExportCounts }[]

/** What the telling itself is like. */
export function describeTelling(version: string, failures: ReadonlyMap<string, number>, exports: Exports): Family[] {
  return [
    {
      name: 'ponto.info',
      help: 'Always 1: the version that runs.',
      kind: 'gauge',
      unit: '{item}',
      labels: ['version', 'runtime'],
      samples: [{ labels: [version, `bun ${process.versions.bun ?? ''}`], value: 1 }],
    },
    {
      name: 'ponto.scrape.failures',
      help: 'How often a part of the server could not be asked in time: its figures were left out.',
      kind: 'counter',
      unit: '{failure}',
      labels: ['source'],
      samples: [...failures].map(([source, value]) => ({ labels: [source], value })),
    },
    {
      name: 'ponto.otlp.exports',
      help: 'Spans, and whole reports of metrics, that reached a collector, did not, or found no room to wait in.',
      kind: 'counter',
      unit: '{item}',
      labels: ['signal', 'outcome'],
      samples: exports.flatMap(({ signal, counts }) =>
        Object.entries(counts).map(([outcome, value]) => ({ labels: [signal, outcome], value })),
      ),
    },
  ]
}
