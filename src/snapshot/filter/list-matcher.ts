import { joinMatchers, type MatcherPart } from '../../policy/filter/match/join.ts'
import { PatternProblem } from '../../policy/filter/match/pattern-problem.ts'
import { checkPattern, compilePatterns } from '../../policy/filter/match/regex/compile-patterns.ts'
import { compileTerms } from '../../policy/filter/match/terms.ts'
import type { BlocklistRule } from '../../policy/filter/plan.ts'

type Item = { readonly name: string; readonly pattern: string; readonly isRegex: boolean }

/** A blocklist as it is looked for. */
export type CompiledList = Pick<BlocklistRule, 'matcher' | 'itemOf'>

/** Throws a PatternProblem for an item that cannot be used. */
export function compileList(items: readonly Item[]): CompiledList {
  const terms = items.filter(({ isRegex }) => !isRegex)
  const patterns = items.filter(({ isRegex }) => isRegex)
  const ordered = [...terms, ...patterns]
  const parts: MatcherPart[] = []
  if (terms.length > 0) parts.push({ matcher: compileTermsOf(terms), size: terms.length })
  if (patterns.length > 0) {
    const matcher = compilePatterns(patterns.map(({ pattern }) => ({ source: pattern })))
    parts.push({ matcher, size: patterns.length })
  }
  return {
    matcher: joinMatchers(parts),
    itemOf: (pattern) => ordered[pattern]?.name ?? '',
  }
}

/** Why items cannot be used, by their place among `items`: patterns that do not run in linear time, terms that are nothing to look for. */
export function judgeItems(items: readonly Item[]): { readonly index: number; readonly reason: string }[] {
  const found = items.flatMap((item, index) => {
    const reason = item.isRegex ? reasonOf(() => checkPattern({ source: item.pattern })) : undefined
    return reason ? [{ index, reason: reason.reason }] : []
  })
  const terms = items.flatMap((item, index) => (item.isRegex || isPlain(item.pattern) ? [] : { item, index }))
  const problem = reasonOf(() => compileTermsOf(terms.map(({ item }) => item)))
  const term = problem && terms[problem.index]
  return term ? [...found, { index: term.index, reason: problem.reason }] : found
}

/** Has something that can be seen, and no character that is folded into more: so nothing about it has to be tried out. */
function isPlain(term: string): boolean {
  return /^[\x20-\x7e]+$/.test(term) && /[a-z0-9]/i.test(term)
}

function compileTermsOf(terms: readonly Item[]) {
  return compileTerms(terms.map(({ pattern }) => ({ text: pattern })))
}

function reasonOf(compile: () => unknown): PatternProblem | undefined {
  try {
    compile()
    return undefined
  } catch (error) {
    if (error instanceof PatternProblem) return error
    throw error
  }
}
