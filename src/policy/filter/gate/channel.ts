import type { FilterCategory } from '../../../core/filter/categories.ts'
import type { Segment } from '../../../core/filter/engine.ts'
import type { Direction } from '../direction.ts'
import type { Ledger } from '../ledger.ts'
import type { MatchStream } from '../match/text-matcher.ts'
import type { PiiMatch, PiiStream } from '../plan.ts'
import { categoriesFor } from '../scan.ts'

/** A hot word is judged with what follows it: up to the end of its clause, or so many characters. */
const clauseChars = 64
const clauseEnd = /[.,;:!?\n…。、！？]/g
/** How much of what came before it is judged with. */
const contextChars = 600
/** How much is kept before the beginning is dropped. */
const keptChars = 4 * contextChars

/** Characters that go out as others. */
export type Edit = { readonly start: number; readonly end: number; readonly replacement: string }

/**
 * One text that comes in pieces, mostly of an answer on its way out, judged by everything that answers at once. Places are characters from its start.
 */
export type Channel = {
  feed(text: string): void
  end(): void
  /** Judges what is held until the end of a clause as it is. */
  judgeNow(): void
  /** Judges all that is held as it is and lets it go, as if the text had ended; what follows is still read as its continuation. */
  pause(): void
  /** Whether something is held that `judgeNow` would let go. */
  readonly holdsClause: boolean
  /** Whether anything is held. */
  readonly isHeld: boolean
  /** Up to where nothing that may be kept back can begin any more. */
  readonly settled: number
  /** Up to where nothing that is to be unreadable can begin any more; infinite where nothing is. */
  readonly redactedTo: number
  /** Where the first thing begins that is kept back. */
  readonly cutAt: number | undefined
  /** In their order; only where both ends are settled. */
  readonly edits: readonly Edit[]
  /** Drops the first so many edits: what they are about has gone out. */
  forgetEdits(count: number): void
}

export type ChannelOptions = {
  readonly direction: Direction
  readonly ledger: Ledger
  /** As explanations name it: `choices[0].text`. */
  readonly at: string
  /** Whose words these are; the model's when absent. */
  readonly role?: Segment['role'] | undefined
  writeRedaction(match: PiiMatch, text: string): string
}

export function openChannel(options: ChannelOptions): Channel {
  const { direction, ledger, at, role = 'assistant', writeRedaction } = options
  const { detector } = direction.plan
  const where = { at, offset: 0, engine: detector.label }
  const categories: ReadonlySet<FilterCategory> = categoriesFor(direction.detected, role)
  const lists: readonly MatchStream[] = direction.patterns.map(({ matcher }) => matcher.open())
  const personal: PiiStream | undefined = direction.pii?.open()
  const screen: MatchStream | undefined = categories.size > 0 ? detector.screen.open() : undefined
  const edits: Edit[] = []
  let text = ''
  let textStart = 0
  let read = 0
  let hotFrom: number | undefined
  let hotEnd = 0
  let judgedTo = 0
  /** Up to where it has been let go by `pause`. */
  let passedTo = 0
  let cutAt: number | undefined

  const cut = (place: number): void => {
    cutAt = Math.min(cutAt ?? place, place)
  }

  function notePatterns(index: number, matches: ReturnType<MatchStream['feed']>): void {
    const list = direction.patterns[index] as Direction['patterns'][number]
    for (const { pattern, start, end } of matches)
      if (ledger.notePattern(list, pattern, [start, end], where)) cut(start)
  }

  function notePersonal(matches: readonly PiiMatch[]): void {
    for (const match of matches) {
      const action = direction.pii?.actions.get(match.type) ?? 'annotate'
      if (ledger.notePii(match, action, where)) cut(match.start)
      if (action === 'redact') {
        const original = text.slice(match.start - textStart, match.end - textStart)
        edits.push({ start: match.start, end: match.end, replacement: writeRedaction(match, original) })
      }
    }
  }

  function noteHot(matches: ReturnType<MatchStream['feed']>): void {
    for (const { start, end } of matches) {
      hotFrom = Math.min(hotFrom ?? start, start)
      hotEnd = Math.max(hotEnd, end)
    }
  }

  function judgeClause(): void {
    if (hotFrom === undefined) return
    const from = Math.max(textStart, hotFrom - contextChars)
    const found = detector.analyse(text.slice(from - textStart), { source: direction.source, categories })
    for (const finding of found) {
      const { start, end } = finding.span ?? { start: hotFrom - from, end: read - from }
      // It was judged with the clause it ended in.
      if (end + from <= judgedTo) continue
      if (ledger.note(finding, { ...where, offset: from })) cut(start + from)
    }
    judgedTo = read
    hotFrom = undefined
  }

  function endsClause(): boolean {
    if (hotFrom === undefined) return false
    if (read - hotFrom >= clauseChars) return true
    clauseEnd.lastIndex = hotEnd - textStart
    return clauseEnd.test(text)
  }

  function dropOld(): void {
    if (text.length <= keptChars) return
    const keepFrom = Math.min(hotFrom ?? read, heldFrom()) - contextChars
    if (keepFrom <= textStart) return
    text = text.slice(keepFrom - textStart)
    textStart = keepFrom
  }

  /** What is held begins no match that goes on. It may be one that only an end makes certain. */
  function judgeHeld(from: number): void {
    const held = text.slice(Math.max(textStart, from - contextChars) - textStart)
    const heldStart = read - held.length
    const place = <T extends { readonly start: number; readonly end: number }>(matches: readonly T[]): T[] =>
      matches
        .map((match) => ({ ...match, start: match.start + heldStart, end: match.end + heldStart }))
        .filter(({ start }) => start >= from)
    for (let i = 0; i < lists.length; i++) {
      notePatterns(i, place((direction.patterns[i] as Direction['patterns'][number]).matcher.find(held)))
    }
    if (direction.pii) notePersonal(place(direction.pii.find(held)))
    if (screen) noteHot(place(detector.screen.find(held)))
  }

  function settledOf(): number {
    return Math.max(passedTo, heldFrom())
  }

  function heldFrom(): number {
    let settled = hotFrom === undefined ? read : Math.min(read, hotFrom)
    for (const list of lists) settled = Math.min(settled, list.settled)
    if (personal) settled = Math.min(settled, personal.settled)
    if (screen) settled = Math.min(settled, screen.settled)
    return settled
  }

  return {
    feed(more) {
      text += more
      read += more.length
      for (let i = 0; i < lists.length; i++) {
        const matches = (lists[i] as MatchStream).feed(more)
        if (matches.length > 0) notePatterns(i, matches)
      }
      if (personal) {
        const matches = personal.feed(more)
        if (matches.length > 0) notePersonal(matches)
      }
      if (screen) {
        const matches = screen.feed(more)
        if (matches.length > 0) noteHot(matches)
        if (endsClause()) judgeClause()
      }
      if (text.length > keptChars) dropOld()
    },
    end() {
      for (let i = 0; i < lists.length; i++) notePatterns(i, (lists[i] as MatchStream).end())
      if (personal) notePersonal(personal.end())
      if (screen) noteHot(screen.end())
      judgeClause()
    },
    judgeNow: judgeClause,
    pause() {
      const from = settledOf()
      if (from === read) return
      judgeHeld(from)
      judgeClause()
      passedTo = read
    },
    get isHeld() {
      return settledOf() < read
    },
    get holdsClause() {
      return hotFrom !== undefined
    },
    get settled() {
      return settledOf()
    },
    get redactedTo() {
      return direction.redacts && personal ? personal.settled : Number.POSITIVE_INFINITY
    },
    get cutAt() {
      return cutAt
    },
    edits,
    forgetEdits: (count) => void edits.splice(0, count),
  }
}
