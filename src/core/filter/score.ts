import { type FilterCategory, filterCategories, type SeverityLevel, severityLevels } from './categories.ts'

/** What is in a text, by category: a level of the four harms, `true` of what is there or not. A category that is missing is not there. */
export type Labels = { readonly [category in FilterCategory]?: SeverityLevel | boolean }

export type ScoredLine = {
  /** What a person says. */
  readonly labels: Labels
  /** What the filter says. */
  readonly found: Labels
}

/** How well a filter did. Shares are 0 to 1, and undefined where there is nothing to take a share of. */
export type CategoryScore = {
  /** `any`: whether anything is filtered at all, whatever the category. */
  readonly category: FilterCategory | 'any'
  /** Lines that are labelled with it, from the threshold on. */
  readonly positives: number
  /** Lines that the filter would filter for it. */
  readonly filtered: number
  /** The share of the filtered lines that are labelled so. */
  readonly precision: number | undefined
  /** The share of the positives that are filtered. */
  readonly recall: number | undefined
  readonly f1: number | undefined
  /** The share of lines without any label that are filtered for it all the same. */
  readonly overBlocking: number | undefined
}

export type ScoreThreshold = Exclude<SeverityLevel, 'safe'>

/** Scores of each category that is labelled or found anywhere, in the order of `filterCategories`, and of all together (`any`, last). */
export function scoreLines(lines: readonly ScoredLine[], threshold: ScoreThreshold): CategoryScore[] {
  const categories = (Object.keys(filterCategories) as FilterCategory[]).filter((category) =>
    lines.some(({ labels, found }) => isThere(labels[category]) || isThere(found[category])),
  )
  const isAny = (labels: Labels) => categories.some((category) => reaches(labels[category], threshold))
  return [
    ...categories.map((category) => scoreOf(lines, category, (labels) => reaches(labels[category], threshold))),
    scoreOf(lines, 'any', isAny),
  ]
}

function scoreOf(
  lines: readonly ScoredLine[],
  category: CategoryScore['category'],
  has: (labels: Labels) => boolean,
): CategoryScore {
  let positives = 0
  let filtered = 0
  let right = 0
  let clean = 0
  let overBlocked = 0
  for (const { labels, found } of lines) {
    const isPositive = has(labels)
    const isFiltered = has(found)
    if (isPositive) positives++
    if (isFiltered) filtered++
    if (isPositive && isFiltered) right++
    if (Object.values(labels).some(isThere)) continue
    clean++
    if (isFiltered) overBlocked++
  }
  const precision = shareOf(right, filtered)
  const recall = shareOf(right, positives)
  return {
    category,
    positives,
    filtered,
    precision,
    recall,
    f1: recall === undefined ? undefined : (2 * right) / (positives + filtered),
    overBlocking: shareOf(overBlocked, clean),
  }
}

function isThere(level: SeverityLevel | boolean | undefined): boolean {
  return level !== undefined && level !== false && level !== 'safe'
}

function reaches(level: SeverityLevel | boolean | undefined, threshold: ScoreThreshold): boolean {
  if (typeof level !== 'string') return level === true
  return severityLevels.indexOf(level) >= severityLevels.indexOf(threshold)
}

function shareOf(part: number, whole: number): number | undefined {
  return whole === 0 ? undefined : part / whole
}

const columns = ['positives', 'filtered', 'precision', 'recall', '  F1', 'over-blocking'] as const

/** The scores as a table of fixed width, a line a category, without a line break at the end. */
export function formatScores(scores: readonly CategoryScore[]): string {
  const width = Math.max('category'.length, ...scores.map(({ category }) => category.length))
  const rowOf = (name: string, cells: readonly string[]) =>
    [name.padEnd(width), ...cells.map((cell, index) => cell.padStart((columns[index] as string).length))].join('  ')
  const rows = scores.map(({ category, positives, filtered, precision, recall, f1, overBlocking }) =>
    rowOf(category, [
      String(positives),
      String(filtered),
      fraction(precision),
      fraction(recall),
      fraction(f1),
      overBlocking === undefined ? '-' : `${(overBlocking * 100).toFixed(1)} %`,
    ]),
  )
  return [rowOf('category', columns), ...rows].join('\n')
}

function fraction(share: number | undefined): string {
  return share === undefined ? '-' : share.toFixed(2)
}
