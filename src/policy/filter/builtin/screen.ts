import type { Match, MatchStream, TextMatcher } from '../match/text-matcher.ts'
import { noMatches } from '../match/text-matcher.ts'
import { letterCode as c, codeOfAstral, letterCodes, severalLetters } from './letters.ts'
import { type Anchor, wordOf } from './read-rules.ts'
import { buildWordTrie, type TrieWord, type WordTrie } from './word-trie.ts'

/**
 * The cheap pass that every text takes: words that stand alone, and pairs of words, without which no rule finds anything. It reads
 * words exactly as the rules do, disguises included, so that it misses nothing that they would find. Beyond that it tells of what may
 * hide words: long spelled-out runs, escapes, what looks like base64, and comments of pages.
 */
export function createScreen(anchors: readonly Anchor[]): TextMatcher {
  const { trie, half } = compileAnchors(anchors)
  const open = () => createLane(trie, half)
  const whole = open()
  return {
    find(text) {
      whole.reset()
      whole.read(text)
      whole.finish()
      return whole.take()
    },
    open() {
      const lane = open()
      return {
        feed(text) {
          lane.read(text)
          return lane.take()
        },
        end() {
          lane.finish()
          return lane.take()
        },
        get settled() {
          return lane.settled()
        },
      } satisfies MatchStream
    },
  }
}

/** Words that say that something is written in a code, which the rules then read. */
const codeWords = ['base64', 'rot13', 'decod*', 'decipher*', 'hexadecimal*', 'htmlcomment']

/** Class 0 is a word that is enough alone; then one class for the first words of each kind of pair, then as many for the second ones. */
function compileAnchors(anchors: readonly Anchor[]) {
  const classesOf = new Map<string, Set<number>>()
  const add = (word: string, classId: number): void => {
    const known = classesOf.get(word)
    if (known === undefined) classesOf.set(word, new Set([classId]))
    else known.add(classId)
  }
  for (const word of codeWords) add(word, 0)
  const pairsByKey = new Map<string, Anchor>()
  for (const anchor of anchors) {
    if (anchor.second === undefined) for (const word of anchor.first) add(word, 0)
    else pairsByKey.set(`${[...anchor.first].join('|')} ${[...anchor.second].join('|')}`, anchor)
  }
  // Both halves begin at a number of 32 bits, so that one can be laid over the other.
  const half = Math.ceil((pairsByKey.size + 1) / 32)
  for (const [index, { first, second }] of [...pairsByKey.values()].entries()) {
    for (const word of first) add(word, 1 + index)
    for (const word of second as ReadonlySet<string>) add(word, half * 32 + 1 + index)
  }
  const words: TrieWord[] = [...classesOf].map(([word, classes]) => ({ ...wordOf(word), classes: [...classes] }))
  return { trie: buildWordTrie(words, half * 64), half }
}

type Lane = {
  reset(): void
  read(text: string): void
  finish(): void
  take(): readonly Match[]
  settled(): number
}

function isAsciiLetter(unit: number): boolean {
  return (unit | 32) >= 97 && (unit | 32) <= 122
}

/** Longer words are judged by their beginning. */
const longestWord = 64
const fewestSpelled = 3
/** Spelled-out runs from here on are told whatever they spell: they may be several words. */
const sureSpelled = 5
const widestSpelledGap = 3
const shortestCoded = 16

/** `half`: how many numbers of 32 bits the first words of pairs take in a row of the trie, with class 0 before them. */
function createLane(trie: WordTrie, half: number): Lane {
  const codes = new Uint8Array(longestWord + 4)
  const spelled = new Uint8Array(longestWord + 4)
  let bits = new Uint32Array(trie.rowWords)
  let before = new Uint32Array(trie.rowWords)
  const scratch = new Uint32Array(trie.rowWords)
  let found: Match[] = []
  let offset = 0
  let length = 0
  let lettersTo = 0
  let wordStart = 0
  let wordEnd = 0
  let isOdd = false
  let run = 0
  let lastCode = 0
  let lastKind = 0
  let changes = 0
  let highSurrogate = 0
  let escaping = 0
  let comment = 0
  let hasFirst = false
  let beforeStart = 0
  let singles = 0
  let spelledLetters = 0
  let singlesStart = 0
  let singlesEnd = 0
  let told = 0

  const tell = (start: number, end: number): void => {
    found.push({ start, end, pattern: 0 })
  }

  function endWord(): void {
    const to = lettersTo
    length = 0
    lettersTo = 0
    if (to === 0) return
    if (to === 1 && (codes[0] as number) <= c.lastDigit) endSingle()
    else if (singles > 0) endSpelled()
    const isKnown = trie.readWord(codes, 0, to, isOdd, bits, 0)
    if (to >= shortestCoded && changes * 3 >= to) tell(wordStart, wordEnd)
    if (!isKnown) {
      hasFirst = false
      return
    }
    judgeWord()
    const spare = before
    before = bits
    bits = spare
    bits.fill(0)
    hasFirst = isFirstOfPair(before)
    beforeStart = wordStart
  }

  function judgeWord(): void {
    if (((bits[0] as number) & 1) === 1) tell(wordStart, wordEnd)
    else if (hasFirst)
      for (let word = 0; word < half; word++)
        if (((bits[half + word] as number) & (before[word] as number)) !== 0) {
          tell(beforeStart, wordEnd)
          return
        }
  }

  function isFirstOfPair(row: Uint32Array): boolean {
    for (let word = 0; word < half; word++) if (((row[word] as number) & (word === 0 ? ~1 : -1)) !== 0) return true
    return false
  }

  function endSingle(): void {
    if (singles > 0 && wordStart - singlesEnd > widestSpelledGap) endSpelled()
    if (singles === 0) singlesStart = wordStart
    if (singles < longestWord) spelled[singles] = codes[0] as number
    singles++
    if ((codes[0] as number) <= c.lastLetter) spelledLetters++
    singlesEnd = wordEnd
  }

  function endSpelled(): void {
    if (spelledLetters >= sureSpelled) tell(singlesStart, singlesEnd)
    else if (singles >= fewestSpelled) {
      scratch.fill(0)
      if (trie.readWord(spelled, 0, singles, true, scratch, 0) && ((scratch[0] as number) & 1) === 1)
        tell(singlesStart, singlesEnd)
    }
    singles = 0
    spelledLetters = 0
  }

  function addCode(code: number, at: number, width: number): void {
    if (length === 0) {
      wordStart = at
      isOdd = false
      run = 0
      lastCode = 0
      changes = 0
      lastKind = 0
    }
    if (length < longestWord) codes[length] = code
    length = Math.min(length + 1, longestWord)
    run = code === lastCode ? run + 1 : 1
    lastCode = code
    if (run === 3 || code > c.lastLetter) isOdd = true
    if (code <= c.foreign) {
      lettersTo = length
      wordEnd = at + width
    }
  }

  function readHint(unit: number, at: number): void {
    if (unit === 0x5c || unit === 0x25) escaping = unit === 0x5c ? 1 : 4
    else if (escaping !== 0) {
      if (escaping === 1) escaping = unit === 0x75 ? 2 : unit === 0x78 ? 4 : 0
      else if (escaping < 4) escaping = unit === 0x30 ? escaping + 1 : 0
      else {
        // Of an escaped letter: in ASCII they are 0x61 to 0x7a.
        if (unit === 0x36 || unit === 0x37) tell(at, at + 1)
        escaping = 0
      }
    }
    if (unit === 0x3c) comment = 1
    else if (comment !== 0) {
      comment = unit === '<!--'.charCodeAt(comment) ? comment + 1 : 0
      if (comment === 4) {
        tell(at - 3, at + 1)
        comment = 0
      }
    }
  }

  /** Reads the ASCII letters of a word that begins at `from`, which nearly all words are made of; where they end. */
  function readLetters(text: string, from: number, end: number): number {
    let at = from
    let last = 0
    let beforeLast = 0
    let isRun = false
    let switches = 0
    let kind = 0
    for (; at < end; at++) {
      const unit = text.charCodeAt(at)
      const code = (unit | 32) - 96
      if (code < 1 || code > c.lastLetter || unit < 65) break
      if (at - from < longestWord) codes[at - from] = code
      if (code === last && code === beforeLast) isRun = true
      beforeLast = last
      last = code
      if ((unit & 32) !== kind) switches++
      kind = unit & 32
    }
    wordStart = offset + from
    wordEnd = offset + at
    length = Math.min(at - from, longestWord)
    lettersTo = length
    isOdd = isRun
    run = last === beforeLast ? 2 : 1
    lastCode = last
    changes = switches
    lastKind = kind === 32 ? 1 : 2
    return at
  }

  function read(text: string): void {
    const end = text.length
    for (let i = 0; i < end; i++) {
      let unit = text.charCodeAt(i)
      if (length === 0 && unit < 128 && escaping + comment + highSurrogate === 0 && isAsciiLetter(unit)) {
        i = readLetters(text, i, end)
        if (i === end) break
        unit = text.charCodeAt(i)
      }
      const at = offset + i
      let code = letterCodes[unit] as number
      if (escaping !== 0 || comment !== 0 || unit === 0x5c || unit === 0x25 || unit === 0x3c) readHint(unit, at)
      if (highSurrogate !== 0) {
        const isPair = unit >= 0xdc00 && unit <= 0xdfff
        if (isPair) code = codeOfAstral((highSurrogate - 0xd800) * 0x400 + (unit - 0xdc00) + 0x10000)
        highSurrogate = 0
        if (isPair) {
          if (code > 0 && code <= c.foreign) {
            addCode(code, at - 1, 2)
            continue
          }
          if (code === c.invisible) continue
        }
        // Half a character, or one that is no letter.
        if (length > 0) endWord()
        if (isPair) continue
      }
      if (code > 0 && code <= c.lastDigit) {
        const kind = unit >= 97 ? 1 : unit >= 65 ? 2 : 3
        addCode(code, at, 1)
        if (kind !== lastKind) changes++
        lastKind = kind
        continue
      }
      if (code === c.highSurrogate) highSurrogate = unit
      else if (code === c.foreign) addCode(code, at, 1)
      else if (code === c.several)
        for (const part of severalLetters.get(unit) as readonly number[]) addCode(part, at, 1)
      else if (code === c.at || code === c.dollar || (code >= c.bar && code <= c.exclamation && lettersTo > 0))
        addCode(code, at, 1)
      else if (code !== c.invisible && length > 0) endWord()
    }
    offset += end
  }

  return {
    reset() {
      offset = 0
      length = 0
      lettersTo = 0
      highSurrogate = 0
      escaping = 0
      comment = 0
      hasFirst = false
      singles = 0
      spelledLetters = 0
      told = 0
      found = []
    },
    read,
    finish() {
      endWord()
      if (singles > 0) endSpelled()
      hasFirst = false
      told = offset
    },
    take() {
      if (found.length === 0) return noMatches
      const taken = found
      found = []
      return taken
    },
    settled() {
      let least = length > 0 ? wordStart : offset
      if (highSurrogate !== 0) least = Math.min(least, offset - 1)
      if (hasFirst) least = Math.min(least, beforeStart)
      if (singles > 0) least = Math.min(least, singlesStart)
      if (comment !== 0) least = Math.min(least, offset - comment)
      told = Math.max(told, least)
      return told
    },
  }
}
