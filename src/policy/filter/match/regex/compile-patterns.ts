import { joinMatchers, type MatcherPart } from '../join.ts'
import { PatternProblem } from '../pattern-problem.ts'
import type { Match, TextMatcher } from '../text-matcher.ts'
import { createPatternAlphabet } from './alphabet.ts'
import { createLazyAutomaton, type PatternStates } from './automaton.ts'
import type { CharSet } from './char-set.ts'
import { buildNfa, type Nfa, type NfaState } from './nfa.ts'
import { parsePattern } from './parse.ts'
import { createPatternReader, type PatternReader } from './reader.ts'

/** A regular expression as JavaScript writes it with the flags `u` and, with `ignoreCase` or `(?i)` at its start, `i`. */
export type PatternSpec = { readonly source: string; readonly ignoreCase?: boolean | undefined }

/** States of patterns that are looked for together. More patterns make more automata, each of which reads the text. */
const mostStatesTogether = 6_000
const mostPatternsTogether = 50

/**
 * Looks for all of the patterns at once, in time linear in the text whatever they are. Of each, the matches that begin first and are
 * longest are told, none of which overlap; those of different patterns may. `^` and `$` are the start and the end of the text. Invisible
 * characters are passed over. A match longer than 4,096 characters is told in parts, or from where its last 4,096 characters begin, so that no
 * more than that many are ever held back. Throws PatternProblem, with the pattern's place, for what cannot be looked for.
 */
export function compilePatterns(patterns: readonly PatternSpec[]): TextMatcher {
  const parts: MatcherPart[] = []
  let nfas: Nfa[] = []
  let states = 0
  for (const [index, pattern] of patterns.entries()) {
    const nfa = compileOne(pattern, index)
    if (nfas.length > 0 && (nfas.length === mostPatternsTogether || states + nfa.states.length > mostStatesTogether))
      close()
    nfas.push(nfa)
    states += nfa.states.length
  }
  close()
  return joinMatchers(parts)

  function close(): void {
    if (nfas.length > 0) parts.push({ matcher: matcherOf(nfas), size: nfas.length })
    nfas = []
    states = 0
  }
}

/** Throws the PatternProblem that compiling it would, and costs less. */
export function checkPattern(pattern: PatternSpec): void {
  compileOne(pattern, 0)
}

function compileOne({ source, ignoreCase = false }: PatternSpec, index: number): Nfa {
  try {
    return buildNfa(parsePattern(source, ignoreCase))
  } catch (error) {
    throw error instanceof PatternProblem ? new PatternProblem(error.reason, index) : error
  }
}

function matcherOf(nfas: readonly Nfa[]): TextMatcher {
  const open = prepareReaders(nfas)
  let whole: PatternReader | undefined
  return {
    find(text) {
      whole ??= open()
      whole.reset()
      const matches = whole.read(text)
      const last = whole.finish()
      return last.length === 0 ? matches : [...matches, ...last]
    },
    open() {
      const reader = open()
      return {
        feed: (text): readonly Match[] => reader.read(text),
        end: () => reader.finish(),
        get settled() {
          return reader.settled
        },
      }
    },
  }
}

/** Builds the automaton, which all readers share. `work` counts what building its states took so far. */
export function prepareReaders(
  nfas: readonly Nfa[],
  tableEntries?: number,
): { (): PatternReader; readonly work: { steps: number } } {
  const byRanges = new Map<string, CharSet>()
  const interned = new Map<CharSet, CharSet>()
  for (const { states } of nfas) {
    for (const state of states) {
      if (state.kind !== 'read' || interned.has(state.set)) continue
      const ranges = state.set.join()
      const set = byRanges.get(ranges) ?? state.set
      byRanges.set(ranges, set)
      interned.set(state.set, set)
    }
  }
  const alphabet = createPatternAlphabet([...byRanges.values()])
  const members = new Map([...byRanges.values()].map((set) => [set, alphabet.membersOf(set)]))
  const membersOf = (set: CharSet) => members.get(interned.get(set) as CharSet) as Uint8Array
  const automaton = createLazyAutomaton(lineUp(nfas, membersOf), alphabet, tableEntries)
  return Object.assign(() => createPatternReader(automaton, alphabet), { work: automaton.work })
}

function lineUp(nfas: readonly Nfa[], membersOf: (set: CharSet) => Uint8Array): PatternStates {
  const kind: PatternStates['kind'][number][] = []
  const members: (Uint8Array | undefined)[] = []
  const onward: (readonly number[])[] = []
  const pattern: number[] = []
  const starts: number[] = []
  for (const [index, { states, start }] of nfas.entries()) {
    const first = kind.length
    starts.push(first + start)
    for (const state of states) {
      kind.push(state.kind === 'assert' ? state.what : state.kind)
      members.push(state.kind === 'read' ? membersOf(state.set) : undefined)
      onward.push(onwardOf(state).map((next) => first + next))
      pattern.push(index)
    }
  }
  return { size: kind.length, starts, kind, members, onward, pattern: Int32Array.from(pattern) }
}

function onwardOf(state: NfaState): readonly number[] {
  if (state.kind === 'match') return []
  return state.kind === 'either' ? state.next : [state.next]
}
