import type { PatternAlphabet } from './alphabet.ts'
import type { Assertion } from './parse.ts'

/**
 * The states of all patterns of an automaton, one behind the other. `sets`: by number, whether a class is in it. `kind` says what the
 * other two mean: `set` and `next` of what reads, `next` of what asserts, `onward` of what goes several ways.
 */
export type PatternStates = {
  readonly size: number
  readonly starts: readonly number[]
  readonly kind: readonly ('read' | 'either' | Assertion | 'match')[]
  readonly members: readonly (Uint8Array | undefined)[]
  readonly onward: readonly (readonly number[])[]
  readonly pattern: Int32Array
}

/** A pattern that matches: of the group `from`, or of those that begin with this character where that is -1. */
export type Acceptance = { readonly pattern: number; readonly from: number; readonly isBefore: boolean }

export type Transition = {
  readonly target: LazyState
  /** Which of the groups before each of the groups behind it comes from; -1: it begins with this character. */
  readonly origins: Int32Array
  /** `isBefore`: with what was read before this character, which only shows it. */
  readonly acceptances: readonly Acceptance[]
}

/**
 * What is under way at a place of a text: the states of the patterns, in groups by where their matches began, the earliest first. A
 * state is in the earliest group that reaches it only: what it may come to is the same, and the match that begins first counts.
 */
export type LazyState = {
  readonly groups: readonly Int32Array[]
  readonly before: Before
  /** Its number while it is in the table; -1 after the table was emptied. */
  number: number
  /** The first group that has a state of the pattern, or -1. */
  firstGroupOf(pattern: number): number
}

/** What stands before: nothing, a character of `\w`, another one. */
type Before = 0 | 1 | 2
const nothing = 0
const word = 1
const mark = 2

/**
 * The deterministic automaton of the patterns, of which only those states exist that texts have met. `table[number * width + class]` is
 * 0 where the transition is not known; otherwise (number of the target + 1) * 2, and 1 more where there is something to be done:
 * then `transitions` has it at the same place.
 */
export type LazyAutomaton = {
  readonly width: number
  readonly start: LazyState
  table(): Int32Array
  states(): readonly LazyState[]
  transitionAt(place: number): Transition
  /** Makes the transition, and empties the table before if it is full: numbers known so far mean nothing then. */
  build(from: LazyState, symbol: number): Transition
  /** What matches where the text ends. */
  acceptAtEnd(from: LazyState): readonly Acceptance[]
  /** Puts a state back into the table. */
  number(state: LazyState): number
  /** States of patterns that were looked at so far: what building costs. */
  readonly work: { steps: number }
}

const mostTableEntries = 1 << 19
const mostHeldStates = 1 << 18
const mostTransitions = 1 << 15

export function createLazyAutomaton(
  states: PatternStates,
  { width, isWord }: PatternAlphabet,
  tableEntries = mostTableEntries,
): LazyAutomaton {
  const { kind, members, onward, pattern } = states
  const work = { steps: 0 }
  const mostStates = Math.max(4, Math.floor(tableEntries / width))
  let table = new Int32Array(width * Math.min(mostStates, 16))
  let numbered: LazyState[] = []
  let byKey = new Map<string, LazyState>()
  let transitions = new Map<number, Transition>()
  let held = 0
  const seenBefore = new Uint32Array(states.size)
  const seenBehind = new Uint32Array(states.size)
  let round = 1
  const beginning = Int32Array.from(closeOver(states.starts, []))
  const start = stateOf([], nothing)

  /** Follows what reads nothing. What asserts stays: the character behind decides. Matching patterns go into `matched`. */
  function closeOver(from: readonly number[], matched: number[]): number[] {
    const reached: number[] = []
    const stack = [...from].reverse()
    while (stack.length > 0) {
      const at = stack.pop() as number
      if (seenBehind[at] === round) continue
      seenBehind[at] = round
      work.steps++
      if (kind[at] === 'match') matched.push(pattern[at] as number)
      else if (kind[at] === 'either') stack.push(...(onward[at] as readonly number[]))
      else reached.push(at)
    }
    return reached
  }

  /** The states of a group that read, now that both sides of the place are known. */
  function passAssertions(
    group: Int32Array,
    holds: (what: Assertion) => boolean,
    isDone: Uint8Array,
    matched: number[],
  ): number[] {
    const readers: number[] = []
    const stack = Array.from(group).reverse()
    while (stack.length > 0) {
      const at = stack.pop() as number
      if (seenBefore[at] === round || isDone[pattern[at] as number] === 1) continue
      seenBefore[at] = round
      work.steps++
      const what = kind[at] as PatternStates['kind'][number]
      if (what === 'match') matched.push(pattern[at] as number)
      else if (what === 'read') readers.push(at)
      else if (what === 'either' || holds(what)) stack.push(...(onward[at] as readonly number[]))
    }
    return readers
  }

  const doneBefore = new Uint8Array(states.starts.length)
  const doneBehind = new Uint8Array(states.starts.length)

  /** `symbol` -1: the end of the text. */
  function advance(
    from: LazyState,
    symbol: number,
  ): { groups: Int32Array[]; origins: number[]; acceptances: Acceptance[] } {
    round++
    doneBefore.fill(0)
    doneBehind.fill(0)
    const isWordBefore = from.before === word
    const isWordBehind = symbol >= 0 && isWord[symbol] === 1
    const holds = (what: Assertion) => {
      if (what === 'start') return from.before === nothing
      if (what === 'end') return symbol < 0
      return (isWordBefore !== isWordBehind) === (what === 'word-edge')
    }
    const groups: Int32Array[] = []
    const origins: number[] = []
    const acceptances: Acceptance[] = []
    for (let group = 0; group <= from.groups.length; group++) {
      const isNew = group === from.groups.length
      if (isNew && symbol < 0) break
      const matched: number[] = []
      // A match that ends here ends those that began within it, and none that begin now.
      if (isNew) doneBefore.fill(0)
      const readers = passAssertions(isNew ? beginning : (from.groups[group] as Int32Array), holds, doneBefore, matched)
      for (const one of matched) {
        doneBefore[one] = 1
        acceptances.push({ pattern: one, from: group, isBefore: true })
      }
      if (symbol < 0) continue
      const next: number[] = []
      for (const reader of readers) {
        if ((members[reader] as Uint8Array)[symbol] === 1 && doneBehind[pattern[reader] as number] === 0) {
          next.push((onward[reader] as readonly number[])[0] as number)
        }
      }
      const ended: number[] = []
      const reached = closeOver(next, ended)
      for (const one of ended) {
        doneBehind[one] = 1
        acceptances.push({ pattern: one, from: isNew ? -1 : group, isBefore: false })
      }
      if (reached.length === 0) continue
      groups.push(Int32Array.from(reached.sort((a, b) => a - b)))
      origins.push(isNew ? -1 : group)
    }
    // What ended before this character came first, and gives way to what begins no later and ends with it.
    acceptances.sort((a, b) => Number(b.isBefore) - Number(a.isBefore))
    return { groups, origins, acceptances }
  }

  function stateOf(groups: readonly Int32Array[], before: Before): LazyState {
    const key = keyOf(groups, before)
    const known = byKey.get(key)
    if (known) return known
    const firstGroups = new Map<number, number>()
    const state: LazyState = {
      groups,
      before,
      number: -1,
      firstGroupOf(one) {
        let first = firstGroups.get(one)
        if (first === undefined) {
          first = groups.findIndex((group) => group.some((at) => pattern[at] === one))
          firstGroups.set(one, first)
        }
        return first
      },
    }
    byKey.set(key, state)
    enter(state)
    return state
  }

  function enter(state: LazyState): void {
    state.number = numbered.push(state) - 1
    for (const group of state.groups) held += group.length
    const needed = numbered.length * width
    if (needed <= table.length) return
    const larger = new Int32Array(Math.max(needed, table.length * 2))
    larger.set(table)
    table = larger
  }

  function empty(): void {
    for (const state of numbered) state.number = -1
    numbered = []
    byKey = new Map()
    transitions = new Map()
    table.fill(0)
    held = 0
  }

  function number(state: LazyState): number {
    if (state.number < 0) {
      const key = keyOf(state.groups, state.before)
      const known = byKey.get(key)
      if (known) return known.number
      byKey.set(key, state)
      enter(state)
    }
    return state.number
  }

  return {
    width,
    start,
    work,
    table: () => table,
    states: () => numbered,
    transitionAt: (place) => transitions.get(place) as Transition,
    build(from, symbol) {
      if (numbered.length >= mostStates || held > mostHeldStates || transitions.size >= mostTransitions) empty()
      const { groups, origins, acceptances } = advance(from, symbol)
      const target = stateOf(groups, isWord[symbol] === 1 ? word : mark)
      const transition: Transition = { target, origins: Int32Array.from(origins), acceptances }
      const hasWork = acceptances.length > 0 || origins.some((origin, group) => origin !== group)
      const place = number(from) * width + symbol
      table[place] = (target.number + 1) * 2 + Number(hasWork)
      if (hasWork) transitions.set(place, transition)
      return transition
    },
    acceptAtEnd: (from) => advance(from, -1).acceptances,
    number,
  }
}

function keyOf(groups: readonly Int32Array[], before: Before): string {
  return `${before}|${groups.map((group) => group.join()).join(';')}`
}
