import type { Figures, Measured } from './load/measure.ts'
import { filteredName, limitedName, relayName } from './load/start-ponto.ts'

export type Report = Measured & {
  readonly rig: {
    readonly date: string
    readonly seconds: number
    readonly cpu: string
    readonly kernel: string
    readonly bun: string
    /** Processes that wanted to run in the minute before, those of others: a machine of one's own shows about 0. */
    readonly loadBefore: number
  }
}

export function renderReport(report: Report): string {
  const { rig, figures, directP50Us } = report
  return [
    '',
    `${rig.date}  ${rig.cpu}, Linux ${rig.kernel}, Bun ${rig.bun}; load average before ${rig.loadBefore.toFixed(1)}; ${rig.seconds.toFixed(0)} s`,
    '',
    renderTable(ratioRows(report)),
    '',
    renderTable(figureRows(figures)),
    '',
    `Latency p50 of asking the upstream directly: ${directP50Us.toFixed(0)} us. CPU is user and system time of the target and its`,
    "children without Ponto's engine; an event's includes its share of the stream's request. Method: bench/README.md",
    '',
  ].join('\n')
}

const cpuColumns = [
  ['CPU per request', (of: Figures) => of.cpuUsPerRequest],
  ['per event', (of: Figures) => of.cpuUsPerEvent],
  ['per paced event', (of: Figures) => of.cpuUsPerPacedEvent],
] as const

function ratioRows({ figures }: Report): string[][] {
  const rows = figures
    .filter(isPonto)
    .flatMap((figure) =>
      figures
        .filter((baseline) => isBaseline(baseline, figure))
        .map((baseline) => [
          `${figure.name} / ${baseline.name}`,
          ...cpuColumns.map(([, pick]) => formatRatio(pick(figure), pick(baseline))),
        ]),
    )
  return [['ratio', ...cpuColumns.map(([title]) => title)], ...rows]
}

const isPonto = ({ name }: Figures): boolean => name.startsWith('Ponto')

/** What is not Ponto; and for Ponto with limits or filters the same without them. */
function isBaseline(baseline: Figures, of: Figures): boolean {
  return !isPonto(baseline) || ((of.name === limitedName || of.name === filteredName) && baseline.name === relayName)
}

function figureRows(figures: readonly Figures[]): string[][] {
  const mb = (bytes: number) => (bytes / 1048576).toFixed(0)
  const us = (value: number | undefined) => value?.toFixed(1) ?? '-'
  return [
    [
      'target',
      ...cpuColumns.map(([title]) => `${title}, us`),
      'requests/s',
      'events/s',
      'added p50, us',
      'RSS idle, MB',
      'loaded',
      'start, ms',
    ],
    ...figures.map((of) => [
      of.name,
      ...cpuColumns.map(([, pick]) => us(pick(of))),
      of.requestsPerSecond.toFixed(0),
      of.eventsPerSecond.toFixed(0),
      of.addedP50Us.toFixed(0),
      mb(of.idleRssBytes),
      mb(of.loadedRssBytes),
      `${of.startMs.toFixed(0)}${of.firstStartMs === undefined ? '' : ` (first ${of.firstStartMs.toFixed(0)})`}`,
    ]),
  ]
}

function formatRatio(value: number | undefined, baseline: number | undefined): string {
  return value === undefined || baseline === undefined ? '-' : (value / baseline).toFixed(2)
}

/** Markdown, so that it can be pasted into the README as it is. */
function renderTable(rows: readonly string[][]): string {
  const widths = (rows[0] as string[]).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number))).join(' | ')} |`
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  const [head, ...body] = rows
  return [line(head as string[]), rule, ...body.map(line)].join('\n')
}
