import { compilePatterns } from '../match/regex/compile-patterns.ts'
import type { Match, TextMatcher } from '../match/text-matcher.ts'
import type { PiiMatch, PiiStream } from '../plan.ts'
import { type Context, compileContext, contextReach, type ReadContext } from './context.ts'
import type { PatternSpec, Recogniser } from './recogniser.ts'
import { clueBits, findClues } from './screen.ts'
import { dropUnseen, placeOf } from './unseen.ts'

/** Looks for the types of a set of recognisers. Immutable, and shared by all rules that have the same set. */
export type PiiFinder = {
  /** In the order of the text; none overlaps another. */
  find(text: string): readonly PiiMatch[]
  /** Finds the same in a text that comes in pieces. */
  open(): PiiStream
}

/** Something that looks like a value and passed its rules. */
type Candidate = PiiMatch & {
  readonly isChecked: boolean
  /** From the nearest context word; infinite without one. */
  readonly distance: number
  /** Place of the recogniser: the last resort, so that the outcome never depends on who was told first. */
  readonly order: number
}

/** What behind a value tells whether it goes on: a sign and what it joins. */
const lookaheadChars = 2

/** Kept of what was read already: context words, and what makes sure that the first of them is whole. */
const keptChars = contextReach + 20

/** Forgetting a text bit by bit costs more than keeping some of it. */
const mostForgotten = 1_024

const noMatches: readonly PiiMatch[] = []

/** Patterns that need the same clue, as one matcher. Two types that are written alike share a pattern. */
type Lane = {
  readonly clue: number
  readonly matcher: TextMatcher
  /** By pattern of the matcher. */
  readonly shapes: readonly (readonly Shape[])[]
}

type Shape = { readonly recogniser: Recogniser; readonly order: number; readonly pattern: PatternSpec }

/** Throws PatternProblem for a pattern that cannot be looked for. */
export function createFinder(recognisers: readonly Recogniser[]): PiiFinder {
  const lanes = buildLanes(recognisers)
  const readContext = compileContext(recognisers)

  /** What `match` amounts to, in `text`, which begins at `base` of the whole. */
  function assess(text: string, base: number, match: Match, shape: Shape, contextAt: ContextAt): Candidate | undefined {
    const { recogniser, pattern, order } = shape
    const written = text.slice(match.start - base, match.end - base)
    const whole = dropUnseen(written)
    const from = recogniser.lead?.(whole) ?? 0
    const to = recogniser.lengthOf?.(whole) ?? whole.length
    if (from >= to) return undefined
    const start = match.start + (whole === written ? from : placeOf(from, written))
    const end = match.start + (whole === written ? to : placeOf(to - 1, written) + 1)
    if (recogniser.edges === 'number' && isInside(text, start - base, end - base)) return undefined
    const value = whole.slice(from, to)
    if (recogniser.isValid !== undefined && !recogniser.isValid(value)) return undefined
    const distance = judgeContext(() => contextAt(text, base, match.start), pattern, order)
    if (distance === undefined) return undefined
    return { start, end, type: recogniser.type, isChecked: recogniser.isChecked === true, distance, order }
  }

  function find(text: string): readonly PiiMatch[] {
    const clues = findClues(text)
    if (clues === 0) return noMatches
    const candidates: Candidate[] = []
    const contextAt = rememberContext(readContext)
    for (const { clue, matcher, shapes } of lanes) {
      if ((clue & clues) === 0) continue
      for (const match of matcher.find(text)) {
        for (const shape of shapes[match.pattern] as readonly Shape[]) {
          const candidate = assess(text, 0, match, shape, contextAt)
          if (candidate) candidates.push(candidate)
        }
      }
    }
    return candidates.length === 0 ? noMatches : groupOverlaps(candidates).flatMap(({ members }) => chooseBest(members))
  }

  function open(): PiiStream {
    const streams = lanes.map(({ matcher, shapes }) => ({ stream: matcher.open(), shapes }))
    const contextAt = rememberContext(readContext)
    let text = ''
    let base = 0
    let settled = 0
    let told: { match: Match; shape: Shape }[] = []
    let candidates: Candidate[] = []

    function take(matches: readonly Match[], shapes: Lane['shapes']): void {
      for (const match of matches) {
        for (const shape of shapes[match.pattern] as readonly Shape[]) told.push({ match, shape })
      }
    }

    /** `lookahead`: how much must have been read behind a match, 0 at the end of the text. */
    function advance(lookahead: number): readonly PiiMatch[] {
      const read = base + text.length
      const early: typeof told = []
      for (const entry of told) {
        if (entry.match.end + lookahead > read) early.push(entry)
        else {
          const candidate = assess(text, base, entry.match, entry.shape, contextAt)
          if (candidate) candidates.push(candidate)
        }
      }
      told = early
      settled = read
      for (const { stream } of streams) settled = Math.min(settled, stream.settled)
      for (const { match } of told) settled = Math.min(settled, match.start)
      const found = release()
      const from = Math.min(settled, read) - keptChars
      if (from - base > mostForgotten) {
        text = text.slice(from - base)
        base = from
      }
      return found
    }

    /** What can no more be overlapped by anything. */
    function release(): readonly PiiMatch[] {
      if (candidates.length === 0) return noMatches
      const found: PiiMatch[] = []
      const waiting: Candidate[] = []
      for (const { members, end } of groupOverlaps(candidates)) {
        if (end <= settled && waiting.length === 0) found.push(...chooseBest(members))
        else waiting.push(...members)
      }
      candidates = waiting
      if (waiting.length > 0) settled = Math.min(settled, (waiting[0] as Candidate).start)
      return found
    }

    return {
      feed(piece) {
        text += piece
        for (const { stream, shapes } of streams) take(stream.feed(piece), shapes)
        return advance(lookaheadChars)
      },
      end() {
        for (const { stream, shapes } of streams) take(stream.end(), shapes)
        return advance(0)
      },
      get settled() {
        return settled
      },
    }
  }

  return { find, open }
}

function buildLanes(recognisers: readonly Recogniser[]): Lane[] {
  const byClue = new Map<number, Map<string, Shape[]>>()
  recognisers.forEach((recogniser, order) => {
    const clue = clueBits[recogniser.needs]
    const sources = byClue.get(clue) ?? new Map<string, Shape[]>()
    byClue.set(clue, sources)
    for (const pattern of recogniser.patterns) {
      const key = `${pattern.ignoreCase === true} ${pattern.source}`
      sources.set(key, [...(sources.get(key) ?? []), { recogniser, order, pattern }])
    }
  })
  return [...byClue].map(([clue, sources]) => {
    const shapes = [...sources.values()]
    const patterns = shapes.map(([first]) => (first as Shape).pattern)
    return { clue, shapes, matcher: compilePatterns(patterns) }
  })
}

/** `start` counts from the beginning of the whole, of which `text` begins at `base`. */
type ContextAt = (text: string, base: number, start: number) => Context

/** Many shapes begin at the same place: the last place is remembered. */
function rememberContext(readContext: ReadContext): ContextAt {
  let place = -1
  let last: Context | undefined
  return (text, base, start) => {
    if (last === undefined || place !== start) {
      last = readContext(text, start - base)
      place = start
    }
    return last
  }
}

/** How far away the context word is, or undefined where the pattern does not count as things are. */
function judgeContext(read: () => Context, { isWeak, isDoubtful }: PatternSpec, order: number): number | undefined {
  if (!isWeak && !isDoubtful) return Number.POSITIVE_INFINITY
  const context = read()
  const distance = context.distanceOf(order)
  if (distance === undefined) return isWeak || context.isCounted ? undefined : Number.POSITIVE_INFINITY
  return distance
}

/** Whether what stands there is only a part: of a longer number, amount, version, path or identifier. */
function isInside(text: string, start: number, end: number): boolean {
  const before = text[start - 1] ?? ''
  if (isWordChar(before) || (joinsBefore.has(before) && isWordChar(text[start - 2] ?? ''))) return true
  if (signs.has(before)) return true
  const after = text[end] ?? ''
  const next = text[end + 1] ?? ''
  if (isWordChar(after) || after === '%') return true
  return joinsAfter.has(after) ? isWordChar(next) : (after === '.' || after === ',') && isDigit(next)
}

const joinsBefore = new Set('-./_,')
const joinsAfter = new Set('-/_')
const signs = new Set('+$€£¥')

function isDigit(char: string): boolean {
  return char >= '0' && char <= '9'
}

function isWordChar(char: string): boolean {
  return /[\p{L}\p{N}_]/u.test(char)
}

/** Groups of candidates that overlap, each with any other or through others. In the order of the text. */
function groupOverlaps(candidates: Candidate[]): { members: Candidate[]; end: number }[] {
  candidates.sort((a, b) => a.start - b.start || b.end - a.end || a.order - b.order)
  const groups: { members: Candidate[]; end: number }[] = []
  for (const candidate of candidates) {
    const last = groups.at(-1)
    if (last && candidate.start < last.end) {
      last.members.push(candidate)
      last.end = Math.max(last.end, candidate.end)
    } else groups.push({ members: [candidate], end: candidate.end })
  }
  return groups
}

/** The strongest first, then all that it leaves room for. */
function chooseBest(members: readonly Candidate[]): readonly PiiMatch[] {
  const chosen: Candidate[] = []
  for (const candidate of [...members].sort(compareStrength)) {
    if (chosen.every(({ start, end }) => candidate.end <= start || candidate.start >= end)) chosen.push(candidate)
  }
  return chosen.sort((a, b) => a.start - b.start).map(({ start, end, type }) => ({ start, end, type }))
}

function compareStrength(a: Candidate, b: Candidate): number {
  if (a.isChecked !== b.isChecked) return a.isChecked ? -1 : 1
  if (a.end - a.start !== b.end - b.start) return b.end - b.start - (a.end - a.start)
  if (a.distance !== b.distance) return a.distance - b.distance
  return a.order - b.order || a.start - b.start
}
