import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FilterCategory } from '../../../core/filter/categories.ts'
import type { Finding } from '../../../core/filter/engine.ts'
import type { TextMatcher } from '../match/text-matcher.ts'
import { decodeRuns } from './decode-runs.ts'
import type { Detector } from './detector.ts'
import { readHeads } from './heads.ts'
import { createJudge, findingsOf, type Sighting } from './judge.ts'
import { readRules } from './read-rules.ts'
import { createTokens, readTokens } from './read-tokens.ts'
import { createScreen } from './screen.ts'
import { buildWordTrie } from './word-trie.ts'

export const detectorLabel = 'builtin/1'

/** Texts up to here are judged whole; of longer ones what is around the words that the screen finds. */
const wholeChars = 2_400
const aroundChars = 300
const noFindings: readonly Finding[] = []

/**
 * The embedded detector, from `words.txt`, `rules.txt` and `heads.bin` in `folder` (`models/safety`). Takes some milliseconds. Throws
 * where a file is missing or wrong: the program is not whole then.
 */
export function loadDetector(folder: string): Detector {
  return createDetector({
    words: readFileSync(join(folder, 'words.txt'), 'utf8'),
    rules: readFileSync(join(folder, 'rules.txt'), 'utf8'),
    heads: readFileSync(join(folder, 'heads.bin')),
  })
}

export type DetectorFiles = {
  readonly words: string
  readonly rules: string
  /** Without heads rules decide alone. */
  readonly heads: Uint8Array | undefined
}

export function createDetector({ words, rules: rulesText, heads }: DetectorFiles): Detector {
  const rules = readRules(words, rulesText)
  const trie = buildWordTrie(rules.words, rules.classCount)
  const judge = createJudge(rules, trie.rowWords, heads === undefined ? undefined : readHeads(heads))
  const screen = createScreen(rules.anchors)
  const tokens = createTokens(wholeChars)
  const marked = { tokens, bits: new Uint32Array((wholeChars + 1) * trie.rowWords), rowWords: trie.rowWords }

  const sight = (text: string, from: number, to: number, categories: ReadonlySet<FilterCategory>) => {
    readTokens(text, from, to, tokens)
    trie.mark(tokens, marked.bits)
    return judge.sight(marked, categories)
  }

  return {
    label: detectorLabel,
    screen,
    analyse(text, { categories }) {
      const seen: Sighting[] = []
      for (const [from, to] of text.length <= wholeChars ? [[0, text.length] as const] : windowsOf(text, screen))
        seen.push(...sight(text, from, to, categories))
      for (const run of decodeRuns(text))
        for (const sighting of sight(run.text, 0, run.text.length, categories))
          seen.push({ ...sighting, start: run.start, end: run.end, coding: run.coding })
      return seen.length === 0 ? noFindings : findingsOf(seen)
    },
  }
}

/** The stretches around the words that the screen finds, none longer than is judged at once; neighbours are one. */
function windowsOf(text: string, screen: TextMatcher): (readonly [number, number])[] {
  const windows: [number, number][] = []
  for (const { start, end } of screen.find(text)) {
    const from = Math.max(0, start - aroundChars)
    const to = Math.min(text.length, end + aroundChars)
    const last = windows.at(-1)
    if (last === undefined || from > last[1] || to - last[0] > wholeChars) {
      if (last !== undefined && to <= last[1]) continue
      windows.push([from, Math.min(to, from + wholeChars)])
    } else last[1] = Math.max(last[1], to)
  }
  return windows
}
