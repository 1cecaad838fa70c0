import { type FilterCategory, filterCategories } from '../../../core/filter/categories.ts'
import type { Finding } from '../../../core/filter/engine.ts'
import type { Heads } from './heads.ts'
import { createPatternTable, type MarkedText, matchAt, type PatternHit } from './pattern.ts'
import type { Relief, Rule, RuleSet } from './read-rules.ts'

/** Something that a rule found, before findings are made of all of them. Places are UTF-16 units of the text. */
export type Sighting = {
  readonly rule: Rule
  readonly severity: number
  readonly start: number
  readonly end: number
  readonly score: number | undefined
  /** How the text was written that it was found in, where that was a code. */
  readonly coding: string | undefined
}

export type Judge = {
  /** What the rules say of a piece of text, all that stands around it considered. */
  sight(marked: MarkedText, categories: ReadonlySet<FilterCategory>): readonly Sighting[]
}

/** So far away from a finding, in words, what makes it milder still does. */
const reliefReach = 40
/** Words on each side of a finding that the heads read. */
const headReach = 14
/** Only a word that nothing makes milder is raised, to medium. They never make anything milder: measured, that lost more than it won. */
const raiseAbove = 0.9
/** Stands for relief that leaves nothing of a finding: more than any severity. */
const noneAtAll = 9
/** So many findings of a piece of text the heads are asked about: each costs them as much as the rules take for all. */
const mostAsked = 4
const least = { low: 2, medium: 4 } as const

type Hit = PatternHit & { readonly rule: Rule }
type PlacedRelief = PatternHit & { readonly relief: Relief }

export function createJudge(rules: RuleSet, rowWords: number, heads: Heads | undefined): Judge {
  const ruleTable = createPatternTable(rules.rules, rowWords)
  const supportTable = createPatternTable(rules.supports, rowWords)
  const nearbyTable = createPatternTable(rules.nearby, rowWords)
  const attachedOf = new Map<FilterCategory, (typeof rules.attached)[number][]>()
  for (const entry of rules.attached)
    for (const category of entry.rule.categories) attachedOf.set(category, [...(attachedOf.get(category) ?? []), entry])
  const headOf = new Map((heads?.categories ?? []).map((category, head) => [category, head]))
  const scores = new Float64Array(headOf.size)
  let scoredAt = -1

  /** Undefined where no head speaks of the category. */
  function scoreAt(marked: MarkedText, anchor: number, category: FilterCategory): number | undefined {
    const head = headOf.get(category)
    if (heads === undefined || head === undefined) return undefined
    if (scoredAt !== anchor) {
      const last = Math.min(marked.tokens.count - 1, anchor + headReach)
      heads.score(marked.tokens, Math.max(0, anchor - headReach), last, scores)
      scoredAt = anchor
    }
    return scores[head]
  }

  function reliefFor(hit: Hit, marked: MarkedText, placed: readonly PlacedRelief[]): number | undefined {
    const { category } = hit.rule
    let by = 0
    for (const { relief, first, last } of placed) {
      if (!relief.categories.has(category)) continue
      if (relief.by === undefined) {
        if (first <= hit.anchor && hit.anchor <= last) return undefined
      } else if (first <= hit.last + reliefReach && last >= hit.first - reliefReach) by = Math.max(by, relief.by)
    }
    for (const { pattern, rule: relief } of attachedOf.get(category) ?? []) {
      if ((relief.by ?? noneAtAll) <= by) continue
      if (matchAt(pattern, marked, hit.anchor) === undefined) continue
      if (relief.by === undefined) return undefined
      by = relief.by
    }
    return by
  }

  /** Asks the heads about what the rules left in doubt, where they are sure of nothing else in the category. */
  function askHeads(seen: Sighting[], inDoubt: readonly { index: number; anchor: number }[], marked: MarkedText): void {
    const sure = new Set(seen.filter(({ severity }) => severity >= least.medium).map(({ rule }) => rule.category))
    let asked = 0
    for (const { index, anchor } of inDoubt) {
      const sighting = seen[index] as Sighting
      const { category } = sighting.rule
      if (sure.has(category) || ++asked > mostAsked) continue
      const score = scoreAt(marked, anchor, category)
      if (score === undefined) continue
      const isRaised = score > raiseAbove && !isWeighed(category)
      seen[index] = { ...sighting, score, severity: isRaised ? least.medium : sighting.severity }
      if (isRaised) sure.add(category)
    }
  }

  return {
    sight(marked, categories) {
      const hits: Hit[] = []
      ruleTable.matchAll(marked, (rule, hit) => {
        if (categories.has(rule.category)) hits.push({ ...hit, rule })
      })
      if (hits.length === 0) return []
      scoredAt = -1
      const placed: PlacedRelief[] = []
      nearbyTable.matchAll(marked, (relief, hit) => placed.push({ ...hit, relief }))
      const seen: Sighting[] = []
      const inDoubt: { index: number; anchor: number }[] = []
      const weighing = new Set<FilterCategory>()
      for (const hit of hits) {
        const by = reliefFor(hit, marked, placed)
        if (by === undefined) continue
        const { category, isFirm } = hit.rule
        const severity = isFirm ? hit.rule.severity : hit.rule.severity - by
        if (isWeighed(category)) weighing.add(category)
        else if (severity < least.low) continue
        if (by === 0 && severity < least.medium) inDoubt.push({ index: seen.length, anchor: hit.anchor })
        seen.push(sightingOf(hit, severity, marked))
      }
      askHeads(seen, inDoubt, marked)
      if (weighing.size > 0)
        supportTable.matchAll(marked, (rule, hit) => {
          if (weighing.has(rule.category)) seen.push(sightingOf({ ...hit, rule }, rule.severity, marked))
        })
      return seen
    },
  }
}

function isWeighed(category: FilterCategory): boolean {
  return filterCategories[category].kind === 'binary'
}

function sightingOf(hit: Hit, severity: number, { tokens }: MarkedText): Sighting {
  return {
    rule: hit.rule,
    severity,
    start: tokens.start[hit.first] as number,
    end: tokens.end[hit.last] as number,
    score: undefined,
    coding: undefined,
  }
}

const foundWeight = 4
const binarySeverity = 7

/** Findings of all that was seen in a text: the most severe of each rule, and one of each binary category that weighs enough. */
export function findingsOf(seen: readonly Sighting[]): Finding[] {
  const best = new Map<string, Sighting>()
  for (const sighting of seen) {
    const known = best.get(sighting.rule.id)
    if (known === undefined || known.severity < sighting.severity) best.set(sighting.rule.id, sighting)
  }
  const findings: Finding[] = []
  const weighed = new Map<FilterCategory, Sighting[]>()
  for (const sighting of best.values()) {
    const { category } = sighting.rule
    if (!isWeighed(category)) findings.push(findingOf(sighting, sighting.severity, ruleOf(sighting)))
    else if (sighting.severity > 0) weighed.set(category, [...(weighed.get(category) ?? []), sighting])
  }
  for (const sightings of weighed.values()) {
    sightings.sort((a, b) => b.severity - a.severity || a.start - b.start)
    const heaviest = sightings[0] as Sighting
    const weight = sightings.reduce((sum, { severity }) => sum + severity, 0)
    const isSure = sightings.some(({ score }) => score !== undefined && score > raiseAbove)
    if (weight + (isSure ? 1 : 0) < foundWeight) continue
    findings.push(findingOf(heaviest, binarySeverity, ruleOf(heaviest, sightings[1])))
  }
  return findings
}

/** `jailbreak/override+persona`, and in which code it was written. */
function ruleOf({ rule, coding }: Sighting, second?: Sighting): string {
  const name = second === undefined ? '' : `+${second.rule.id.slice(second.rule.id.indexOf('/') + 1)}`
  return `${rule.id}${name}${coding === undefined ? '' : ` in ${coding}`}`
}

function findingOf({ rule, start, end, score }: Sighting, severity: number, id: string): Finding {
  const finding: Finding = { category: rule.category, severity, span: { segment: 0, start, end }, rule: id }
  return score === undefined ? finding : { ...finding, score: Math.round(score * 1_000) / 1_000 }
}
