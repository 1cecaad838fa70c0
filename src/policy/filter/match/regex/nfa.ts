import { PatternProblem } from '../pattern-problem.ts'
import type { CharSet } from './char-set.ts'
import type { Assertion, PatternNode } from './parse.ts'

/** States of one pattern; counted repetition writes what it repeats as often as it may come. */
const mostStates = 5_000

export type NfaState =
  | { readonly kind: 'read'; readonly set: CharSet; readonly next: number }
  | { readonly kind: 'either'; readonly next: readonly number[] }
  | { readonly kind: 'assert'; readonly what: Assertion; readonly next: number }
  | { readonly kind: 'match' }

export type Nfa = { readonly states: readonly NfaState[]; readonly start: number }

/** Thompson's construction. Throws PatternProblem for a pattern that becomes too large, matches nothing at all or the empty text. */
export function buildNfa(pattern: PatternNode): Nfa {
  const states: NfaState[] = [{ kind: 'match' }]
  let steps = 0

  function add(state: NfaState): number {
    if (states.push(state) > mostStates) throw tooLarge()
    return states.length - 1
  }

  /** From its end to its beginning: `next` is where to go from there. */
  function build(node: PatternNode, next: number): number {
    // Repeating what has no state of its own adds none, and yet takes its time.
    if (++steps > mostStates * 4) throw tooLarge()
    switch (node.kind) {
      case 'set':
        return add({ kind: 'read', set: node.set, next })
      case 'assertion':
        return add({ kind: 'assert', what: node.what, next })
      case 'sequence':
        return node.parts.reduceRight((to, part) => build(part, to), next)
      case 'choice':
        return add({ kind: 'either', next: node.parts.map((part) => build(part, next)) })
      case 'repeat':
        return repeat(node, next)
    }
  }

  function repeat({ part, least, most }: PatternNode & { kind: 'repeat' }, next: number): number {
    let start = next
    if (most === Number.POSITIVE_INFINITY) {
      const onward = [next]
      start = add({ kind: 'either', next: onward })
      onward.push(build(part, start))
    } else {
      for (let i = least; i < most; i++) start = add({ kind: 'either', next: [next, build(part, start)] })
    }
    for (let i = 0; i < least; i++) start = build(part, start)
    return start
  }

  const nfa = { states, start: build(pattern, 0) }
  if (mayBeEmpty(nfa)) throw new PatternProblem('The pattern matches the empty text, which is everywhere.')
  return nfa
}

function tooLarge(): PatternProblem {
  return new PatternProblem(
    `The pattern needs more than ${mostStates} states: repeat less, or write "*" or "+" where the count does not matter.`,
  )
}

function mayBeEmpty({ states, start }: Nfa): boolean {
  const seen = new Set([start])
  for (const at of seen) {
    const state = states[at] as NfaState
    if (state.kind === 'match') return true
    if (state.kind === 'either') for (const next of state.next) seen.add(next)
    if (state.kind === 'assert') seen.add(state.next)
  }
  return false
}
