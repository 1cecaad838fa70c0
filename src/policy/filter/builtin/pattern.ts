import type { Tokens } from './read-tokens.ts'

/**
 * Words in an order: each element is a class of words, some may be missing, and up to `gap` other words may stand before it. A pattern
 * is matched from its anchor outwards and never reaches beyond a sentence.
 */
export type Pattern = {
  readonly elements: readonly PatternElement[]
  readonly anchor: number
}

export type PatternElement = {
  /** A class of words, or one of `place`. */
  readonly classId: number
  readonly isOptional: boolean
  /** How many words may stand between the element before and this one. */
  readonly gap: number
}

/** What an element may be besides a word: where another rule was found, or the begin or end of the sentence. */
export const place = { target: -1, begin: -2, end: -3 } as const

/** The words of a text with their classes. */
export type MarkedText = { readonly tokens: Tokens; readonly bits: Uint32Array; readonly rowWords: number }

export type PatternHit = { readonly first: number; readonly last: number; readonly anchor: number }

/** Matches `pattern` with its anchor at the word `anchor`, which the caller has found to be of the anchor's class. */
export function matchAt(pattern: Pattern, marked: MarkedText, anchor: number): PatternHit | undefined {
  const last = matchForward(pattern, marked, pattern.anchor + 1, anchor, anchor)
  if (last < 0) return undefined
  const first = matchBackward(pattern, marked, pattern.anchor - 1, anchor, anchor)
  return first < 0 ? undefined : { first, last, anchor }
}

function hasClass({ bits, rowWords }: MarkedText, token: number, classId: number): boolean {
  return (((bits[token * rowWords + (classId >> 5)] as number) >>> (classId & 31)) & 1) === 1
}

/** The last word of the elements from `index` on, where the one before them ends at `token`; -1 if they are not there. */
function matchForward(pattern: Pattern, marked: MarkedText, index: number, token: number, target: number): number {
  const element = pattern.elements[index]
  if (element === undefined) return token
  const { tokens } = marked
  const sentence = tokens.sentence[token] as number
  if (element.classId === place.end) {
    const beyond = token + element.gap + 1
    return beyond >= tokens.count || tokens.sentence[beyond] !== sentence ? token : -1
  }
  for (let at = token + 1; at <= token + 1 + element.gap; at++) {
    if (at >= tokens.count || tokens.sentence[at] !== sentence) break
    if (!isElement(element, marked, at, target)) continue
    const last = matchForward(pattern, marked, index + 1, at, target)
    if (last >= 0) return last
  }
  return element.isOptional ? matchForward(pattern, marked, index + 1, token, target) : -1
}

function matchBackward(pattern: Pattern, marked: MarkedText, index: number, token: number, target: number): number {
  const element = pattern.elements[index]
  if (element === undefined) return token
  const { tokens } = marked
  const sentence = tokens.sentence[token] as number
  // The gap stands before an element: what may lie between this one and `token` belongs to the next.
  const gap = (pattern.elements[index + 1] as PatternElement).gap
  if (element.classId === place.begin) {
    const beyond = token - gap - 1
    return beyond < 0 || tokens.sentence[beyond] !== sentence ? token : -1
  }
  for (let at = token - 1; at >= token - 1 - gap; at--) {
    if (at < 0 || tokens.sentence[at] !== sentence) break
    if (!isElement(element, marked, at, target)) continue
    const first = matchBackward(pattern, marked, index - 1, at, target)
    if (first >= 0) return first
  }
  return element.isOptional ? matchBackward(pattern, marked, index - 1, token, target) : -1
}

function isElement(element: PatternElement, marked: MarkedText, token: number, target: number): boolean {
  return element.classId < 0 ? token === target : hasClass(marked, token, element.classId)
}

/** Patterns by the class of their anchor, for trying only those that can match at a word. */
export type PatternTable<T> = {
  /** Calls `found` for each match. The first one of a pattern at a word counts. */
  matchAll(marked: MarkedText, found: (rule: T, hit: PatternHit) => void): void
}

export function createPatternTable<T>(
  patterns: readonly { readonly pattern: Pattern; readonly rule: T }[],
  rowWords: number,
): PatternTable<T> {
  const byClass: { pattern: Pattern; rule: T }[][] = []
  const mask = new Uint32Array(rowWords)
  for (const entry of patterns) {
    const { classId } = entry.pattern.elements[entry.pattern.anchor] as PatternElement
    byClass[classId] ??= []
    byClass[classId].push(entry)
    mask[classId >> 5]! |= 1 << (classId & 31)
  }
  return {
    matchAll(marked, found) {
      const { bits, tokens } = marked
      for (let token = 0; token < tokens.count; token++) {
        for (let word = 0; word < rowWords; word++) {
          let anchors = ((bits[token * rowWords + word] as number) & (mask[word] as number)) >>> 0
          while (anchors !== 0) {
            const bit = 31 - Math.clz32(anchors)
            anchors = (anchors & ~(1 << bit)) >>> 0
            for (const { pattern, rule } of byClass[word * 32 + bit] as (typeof patterns)[number][]) {
              const hit = matchAt(pattern, marked, token)
              if (hit !== undefined) found(rule, hit)
            }
          }
        }
      }
    },
  }
}
