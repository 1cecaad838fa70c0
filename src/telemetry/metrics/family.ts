/**
 * Figures as they are kept and as they are told. What counts calls keeps plain numbers; only when somebody asks are they put into
 * families, and those written as text for Prometheus or as points for a collector.
 */

export type Histogram = {
  /** Upper ends of the buckets, ascending; what is above the last falls into one more. */
  readonly bounds: readonly number[]
  /** How many fell into each bucket: one more than there are bounds. */
  readonly counts: number[]
  sum: number
  count: number
}

/** The values of the labels in the order of the family's labels. */
export type Sample = { readonly labels: readonly string[] } & (
  | { readonly value: number }
  | { readonly histogram: Histogram }
)

export type Unit = 's' | 'ms' | 'By' | '1' | `{${string}}`

export type Family = {
  /** Words joined by dots or underscores: `gen_ai.client.token.usage`. */
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** `{token}` and the like are counts; `1` is a share. */
  readonly unit: Unit
  readonly labels: readonly string[]
  readonly samples: readonly Sample[]
  /** Whether the name is taken from elsewhere and stays as it is, without the endings that Prometheus has for units and counters. */
  readonly isVerbatim?: boolean
}

export function openHistogram(bounds: readonly number[]): Histogram {
  return { bounds, counts: bounds.map(() => 0).concat(0), sum: 0, count: 0 }
}

/** Values that are no numbers are left out: clocks have been known to go backwards. */
export function observe(histogram: Histogram, value: number): void {
  if (!(value >= 0)) return
  const { bounds, counts } = histogram
  let at = 0
  while (at < bounds.length && value > (bounds[at] as number)) at++
  counts[at] = (counts[at] as number) + 1
  histogram.sum += value
  histogram.count++
}

/** Puts what has the same labels together: views tell fewer things apart than what is kept. */
export function mergeHistograms(
  parts: Iterable<{ readonly labels: readonly string[]; readonly histogram: Histogram }>,
): Sample[] {
  const merged = new Map<string, { labels: readonly string[]; histogram: Histogram }>()
  for (const { labels, histogram } of parts) {
    if (histogram.count === 0) continue
    const key = labels.join('\n')
    const into = merged.get(key)
    if (!into) {
      merged.set(key, { labels, histogram: { ...histogram, counts: [...histogram.counts] } })
      continue
    }
    histogram.counts.forEach((count, i) => {
      into.histogram.counts[i] = (into.histogram.counts[i] as number) + count
    })
    into.histogram.sum += histogram.sum
    into.histogram.count += histogram.count
  }
  return [...merged.values()]
}

/** The same for numbers, which are added up. */
export function mergeValues(parts: Iterable<{ readonly labels: readonly string[]; readonly value: number }>): Sample[] {
  const merged = new Map<string, { labels: readonly string[]; value: number }>()
  for (const { labels, value } of parts) {
    const key = labels.join('\n')
    const into = merged.get(key)
    if (into) into.value += value
    else merged.set(key, { labels, value })
  }
  return [...merged.values()]
}

/** The same in another unit: `factor` 1000 makes milliseconds of seconds. */
export function scaleHistogram({ bounds, counts, sum, count }: Histogram, factor: number): Histogram {
  return { bounds: scaleBounds(bounds, factor), counts, sum: sum * factor, count }
}

/** There are few bounds, and many histograms of each. */
const scaled = new WeakMap<readonly number[], Map<number, readonly number[]>>()

function scaleBounds(bounds: readonly number[], factor: number): readonly number[] {
  const known = scaled.get(bounds)?.get(factor)
  if (known) return known
  const made = bounds.map((bound) => Number((bound * factor).toPrecision(12)))
  const others = scaled.get(bounds)
  if (others) others.set(factor, made)
  else scaled.set(bounds, new Map([[factor, made]]))
  return made
}
