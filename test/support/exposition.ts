/** What a scrape says, as Prometheus reads it. */

export type Exposition = {
  /** Families by name, with their type. */
  readonly families: ReadonlyMap<string, string>
  readonly samples: readonly {
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
    readonly value: number
  }[]
}

const linePattern = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/
const labelPattern = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/g

/** Throws for a line that is none. */
export function readExposition(text: string): Exposition {
  const families = new Map<string, string>()
  const samples: Exposition['samples'][number][] = []
  for (const line of text.split('\n')) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line)
    if (type) families.set(type[1] as string, type[2] as string)
    if (line === '' || line.startsWith('#')) continue
    const found = linePattern.exec(line)
    const value = Number((found?.[3] ?? 'none').replace('+Inf', 'Infinity'))
    if (!found || Number.isNaN(value)) throw new Error(`not a sample: ${line}`)
    const labels = Object.fromEntries(
      [...(found[2] ?? '').matchAll(labelPattern)].map(([, name, text]) => [name, text]),
    )
    samples.push({ name: found[1] as string, labels, value })
  }
  return { families, samples }
}

/** The sum of the samples of that name that have these labels; undefined when there is none. */
export function sumOf(
  { samples }: Exposition,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const chosen = samples.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  )
  return chosen.length === 0 ? undefined : chosen.reduce((sum, { value }) => sum + value, 0)
}
