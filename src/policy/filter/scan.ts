import { setImmediate } from 'node:timers/promises'
import type { FilterCategory } from '../../core/filter/categories.ts'
import type { Finding, Segment } from '../../core/filter/engine.ts'
import type { Direction } from './direction.ts'
import type { Ledger } from './ledger.ts'
import type { FilterPlan, PiiMatch } from './plan.ts'

/** Longer texts are looked at closely only around what the screen has found. */
const wholeChars = 4_000
const aroundChars = 600

/**
 * Judges a whole text by everything that answers at once: lists, personal data, the builtin detector. Notes what it finds, and returns
 * the personal data that is to be made unreadable.
 */
export function scanText(
  direction: Direction,
  { role, text }: Segment,
  at: string,
  ledger: Ledger,
): readonly PiiMatch[] {
  const where = { at, offset: 0, engine: direction.plan.detector.label }
  for (const list of direction.patterns) {
    for (const { pattern, start, end } of list.matcher.find(text))
      ledger.notePattern(list, pattern, [start, end], where)
  }
  let redacted: PiiMatch[] | undefined
  if (direction.pii) {
    for (const match of direction.pii.find(text)) {
      const action = direction.pii.actions.get(match.type) ?? 'annotate'
      ledger.notePii(match, action, where)
      if (action === 'redact') {
        redacted ??= []
        redacted.push(match)
      }
    }
  }
  const categories = categoriesFor(direction.detected, role)
  if (categories.size > 0) {
    for (const finding of detect(direction.plan, text, direction.source, categories)) ledger.note(finding, where)
  }
  return redacted ?? nothing
}

const nothing: readonly PiiMatch[] = []

/** What the builtin detector finds in a text of any length. */
export function detect(
  plan: FilterPlan,
  text: string,
  source: Direction['source'],
  categories: ReadonlySet<FilterCategory>,
): readonly Finding[] {
  return Array.from(lookAround(plan, text, { source, categories })).flat()
}

/** What it says of texts that engines are asked about too. `first`: the place of the first of them among all that these are asked about. */
export function builtinOf(
  { plan, source }: Pick<Direction, 'plan' | 'source'>,
  segments: readonly Segment[],
  first = 0,
) {
  return {
    label: plan.detector.label,
    find: (categories: ReadonlySet<FilterCategory>): readonly Finding[] =>
      segments.flatMap(({ role, text }, place) =>
        detect(plan, text, source, categoriesFor(categories, role)).map((finding) => placeIn(finding, first + place)),
      ),
  }
}

/** A finding about one text, as one about the segment of that number. */
export function placeIn(finding: Finding, segment: number): Finding {
  return finding.span ? { ...finding, span: { ...finding.span, segment } } : finding
}

/** Looks at so many places before others get their turn. */
const placesATurn = 20

/** The same, while others get their turn in between. */
export async function detectInTurns(
  plan: FilterPlan,
  text: string,
  source: Direction['source'],
  categories: ReadonlySet<FilterCategory>,
): Promise<readonly Finding[]> {
  const found: (readonly Finding[])[] = []
  for (const findings of lookAround(plan, text, { source, categories })) {
    if (found.push(findings) % placesATurn === 0) await setImmediate()
  }
  return found.flat()
}

/** The findings place by place: of a long text those that the screen has found, with what is around them. */
function* lookAround(
  { detector }: FilterPlan,
  text: string,
  question: Parameters<FilterPlan['detector']['analyse']>[1],
): Generator<readonly Finding[]> {
  const hits = detector.screen.find(text)
  if (hits.length === 0) return
  if (text.length <= wholeChars) {
    yield detector.analyse(text, question)
    return
  }
  const look = (from: number, to: number) =>
    detector.analyse(text.slice(from, to), question).map((finding) => moveSpan(finding, from))
  let from = 0
  let to = 0
  for (const { start, end } of hits) {
    const [left, right] = [Math.max(0, start - aroundChars), Math.min(text.length, end + aroundChars)]
    if (to > 0 && left <= to && right - from <= wholeChars) to = right
    else {
      if (to > 0) yield look(from, to)
      from = left
      to = right
    }
  }
  yield look(from, to)
}

function moveSpan(finding: Finding, by: number): Finding {
  const { span } = finding
  return span && by > 0 ? { ...finding, span: { ...span, start: span.start + by, end: span.end + by } } : finding
}

const onlyUser: ReadonlySet<FilterCategory> = new Set<FilterCategory>(['jailbreak'])
const onlyForeign: ReadonlySet<FilterCategory> = new Set<FilterCategory>(['indirect_attack'])
const byRole = new WeakMap<ReadonlySet<FilterCategory>, Map<Segment['role'], ReadonlySet<FilterCategory>>>()

/** The caller attacks in a user message, a stranger in what it quotes; instructions are what a system message is for. */
export function categoriesFor(
  categories: ReadonlySet<FilterCategory>,
  role: Segment['role'],
): ReadonlySet<FilterCategory> {
  const known = byRole.get(categories) ?? new Map<Segment['role'], ReadonlySet<FilterCategory>>()
  byRole.set(categories, known)
  let own = known.get(role)
  if (!own) {
    const isForeign = role === 'document' || role === 'tool'
    own = new Set(
      [...categories].filter(
        (category) => (role === 'user' || !onlyUser.has(category)) && (isForeign || !onlyForeign.has(category)),
      ),
    )
    known.set(role, own)
  }
  return own
}
