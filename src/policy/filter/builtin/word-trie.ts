import { letterCode as c, foldWord } from './letters.ts'
import type { Tokens } from './read-tokens.ts'

/**
 * The words and stems that rules are made of, each with the classes it belongs to. Reading a word costs one step a letter. Classes
 * are bits: `rows` holds `rowWords` numbers of 32 for each distinct set.
 */
export type WordTrie = {
  readonly rowWords: number
  /** Writes the classes of each word to `bits` (`rowWords` numbers a word), and splits or joins words that were written to hide. */
  mark(tokens: Tokens, bits: Uint32Array): void
  /** Adds the classes of one word to `bits` from `base` on; whether there are any. */
  readWord(codes: Uint8Array, from: number, to: number, isOdd: boolean, bits: Uint32Array, base: number): boolean
}

export type TrieWord = { readonly text: string; readonly isStem: boolean; readonly classes: readonly number[] }

const width = 37
const maxOddSteps = 600
const minSpelledLetters = 3

export function buildWordTrie(words: readonly TrieWord[], classCount: number): WordTrie {
  const rowWords = Math.max(1, Math.ceil(classCount / 32))
  const folded = words.map(({ text }) => foldWord(text))
  const mostNodes = folded.reduce((sum, { length }) => sum + length, 1)
  const children = new Uint16Array(mostNodes * width)
  const exact: (Set<number> | undefined)[] = [undefined]
  const stem: (Set<number> | undefined)[] = [undefined]
  for (const [index, { isStem, classes }] of words.entries()) {
    let node = 0
    for (const code of folded[index] as number[]) {
      let next = children[node * width + code] as number
      if (next === 0) {
        next = exact.length
        children[node * width + code] = next
        exact.push(undefined)
        stem.push(undefined)
      }
      node = next
    }
    const sets = isStem ? stem : exact
    const own = sets[node] ?? new Set<number>()
    sets[node] = own
    for (const classId of classes) own.add(classId)
  }
  const rows = new Uint32Array((words.length + 1) * rowWords)
  let rowCount = 1
  const rowOf = (classes: Set<number> | undefined): number => {
    if (classes === undefined) return 0
    const base = rowCount * rowWords
    for (const id of classes) rows[base + (id >> 5)]! |= 1 << (id & 31)
    return rowCount++
  }
  return createWalker({
    rowWords,
    next: children.slice(0, exact.length * width),
    exactRow: Int32Array.from(exact, rowOf),
    stemRow: Int32Array.from(stem, rowOf),
    rows,
  })
}

type Tables = {
  readonly rowWords: number
  readonly next: Uint16Array
  /** Rows of a word that ends at a node, and of any that goes through it. */
  readonly exactRow: Int32Array
  readonly stemRow: Int32Array
  readonly rows: Uint32Array
}

function createWalker({ rowWords, next, exactRow, stemRow, rows }: Tables): WordTrie {
  let steps = 0

  const addRow = (row: number, bits: Uint32Array, base: number): void => {
    for (let i = 0; i < rowWords; i++) bits[base + i]! |= rows[row * rowWords + i] as number
  }

  function walkPlain(codes: Uint8Array, from: number, to: number, bits: Uint32Array, base: number): boolean {
    let node = 0
    let isFound = false
    for (let i = from; i < to; i++) {
      node = next[node * width + (codes[i] as number)] as number
      if (node === 0) return isFound
      if (stemRow[node] !== 0) {
        addRow(stemRow[node] as number, bits, base)
        isFound = true
      }
    }
    if (exactRow[node] === 0) return isFound
    addRow(exactRow[node] as number, bits, base)
    return true
  }

  /** Follows every reading of a word that has digits, symbols or letters many times in a row. */
  function walkOdd(codes: Uint8Array, at: number, to: number, node: number, bits: Uint32Array, base: number): boolean {
    if (++steps > maxOddSteps) return false
    let isFound = false
    if (node !== 0 && stemRow[node] !== 0) {
      addRow(stemRow[node] as number, bits, base)
      isFound = true
    }
    if (at === to) {
      if (exactRow[node] === 0) return isFound
      addRow(exactRow[node] as number, bits, base)
      return true
    }
    const code = codes[at] as number
    let after = at + 1
    while (after < to && codes[after] === code) after++
    const step = (letter: number, from: number): void => {
      const child = next[node * width + letter] as number
      if (child !== 0 && walkOdd(codes, from, to, child, bits, base)) isFound = true
    }
    if (code < width) step(code, at + 1)
    if (code <= c.lastLetter && after - at >= 3) {
      // `kiiill`: the whole run is one letter, or two.
      step(code, after)
      step(code, after - 1)
    } else if (code <= c.lastLetter && after - at === 2) step(code, after)
    if (code === c.star) {
      for (let letter = 1; letter <= c.lastLetter; letter++) step(letter, at + 1)
      if (node !== 0 && walkOdd(codes, at + 1, to, node, bits, base)) isFound = true
    } else for (const letter of leet[code] ?? []) step(letter, at + 1)
    return isFound
  }

  function markOdd(codes: Uint8Array, from: number, to: number, bits: Uint32Array, base: number): boolean {
    let hasLetter = false
    for (let i = from; i < to; i++) if ((codes[i] as number) <= c.lastLetter) hasLetter = true
    if (!hasLetter) return walkPlain(codes, from, to, bits, base)
    steps = 0
    return walkOdd(codes, from, to, 0, bits, base)
  }

  /** The end of the longest word from `from` on after which the rest is made of words too; -1 if there is none. */
  function splitWord(codes: Uint8Array, from: number, to: number, depth: number): number {
    if (++steps > maxOddSteps || depth > 12) return -1
    const ends: number[] = []
    let node = 0
    for (let i = from; i < to; i++) {
      const code = codes[i] as number
      if (code >= width) break
      node = next[node * width + code] as number
      if (node === 0) break
      if (exactRow[node] !== 0) ends.push(i + 1)
    }
    for (let i = ends.length - 1; i >= 0; i--) {
      const end = ends[i] as number
      if (end === to || splitWord(codes, end, to, depth + 1) >= 0) return end
    }
    return -1
  }

  /** Letters that stand alone, `k i l l`, are read as the words which they spell; else they stay what they are. */
  function joinSpelled(tokens: Tokens, first: number, last: number, bits: Uint32Array): boolean {
    const { codes, from, to, start, end } = tokens
    const base = first * rowWords
    const [begin, stop] = [from[first] as number, to[last] as number]
    const put = (at: number, codeFrom: number, codeTo: number, textEnd: number, textStart: number): void => {
      from[at] = codeFrom
      to[at] = codeTo
      start[at] = textStart
      end[at] = textEnd
      tokens.sentence[at] = tokens.sentence[first] as number
      tokens.isOdd[at] = 1
    }
    const saved = bits.slice(base, base + rowWords)
    bits.fill(0, base, base + rowWords)
    if (stop - begin >= minSpelledLetters && markOdd(codes, begin, stop, bits, base)) {
      put(first, begin, stop, end[last] as number, start[first] as number)
      closeGap(tokens, first + 1, last + 1, bits)
      return true
    }
    bits.set(saved, base)
    steps = 0
    if (stop - begin < 6 || splitWord(codes, begin, stop, 0) < 0) return false
    const pieces: number[] = []
    for (let at = begin; at < stop; ) {
      steps = 0
      at = splitWord(codes, at, stop, 0)
      if (at < 0) return false
      pieces.push(at)
    }
    if (pieces.length > last - first || pieces.length > (stop - begin) / 2) return false
    const lastEnd = end[last] as number
    let at = begin
    for (const [i, pieceEnd] of pieces.entries()) {
      const token = first + i
      const textEnd = pieceEnd === stop ? lastEnd : (tokens.codeAt[pieceEnd - 1] as number) + 1
      put(token, at, pieceEnd, textEnd, tokens.codeAt[at] as number)
      bits.fill(0, token * rowWords, token * rowWords + rowWords)
      walkPlain(codes, at, pieceEnd, bits, token * rowWords)
      at = pieceEnd
    }
    closeGap(tokens, first + pieces.length, last + 1, bits)
    return true
  }

  function closeGap(tokens: Tokens, to: number, from: number, bits: Uint32Array): void {
    const { count } = tokens
    for (const list of [tokens.start, tokens.end, tokens.from, tokens.to, tokens.sentence, tokens.isOdd])
      list.copyWithin(to, from, count)
    bits.copyWithin(to * rowWords, from * rowWords, count * rowWords)
    tokens.count = count - (from - to)
  }

  function mark(tokens: Tokens, bits: Uint32Array): void {
    const { codes, from, to, isOdd } = tokens
    bits.fill(0, 0, tokens.count * rowWords)
    let singles = 0
    for (let token = 0; token < tokens.count; token++) {
      const [begin, stop] = [from[token] as number, to[token] as number]
      if (isOdd[token] === 1) markOdd(codes, begin, stop, bits, token * rowWords)
      else walkPlain(codes, begin, stop, bits, token * rowWords)
      if (stop - begin === 1) singles++
      else singles = 0
      const isLastSingle = singles > 0 && !isSingleNext(tokens, token)
      if (!isLastSingle) continue
      if (singles >= minSpelledLetters) {
        const first = token - singles + 1
        const before = tokens.count
        if (joinSpelled(tokens, first, token, bits)) token -= before - tokens.count
      }
      singles = 0
    }
  }

  return {
    rowWords,
    mark,
    readWord: (codes, from, to, isOdd, bits, base) =>
      isOdd ? markOdd(codes, from, to, bits, base) : walkPlain(codes, from, to, bits, base),
  }
}

/** Whether the next word is a single letter too, with no more than two characters between and nothing but one kind of gap. */
function isSingleNext(tokens: Tokens, token: number): boolean {
  const following = token + 1
  if (following >= tokens.count) return false
  if ((tokens.to[following] as number) - (tokens.from[following] as number) !== 1) return false
  return (tokens.start[following] as number) - (tokens.end[token] as number) <= 3
}

/** Letters that digits and symbols are written for. */
const leet: readonly (readonly number[] | undefined)[] = (() => {
  const byCode: (readonly number[] | undefined)[] = []
  const digits = ['o', 'il', 'z', 'e', 'a', 's', 'gb', 't', 'b', 'g']
  for (const [digit, letters] of digits.entries()) byCode[c.firstDigit + digit] = foldWord(letters)
  byCode[c.at] = foldWord('a')
  byCode[c.dollar] = foldWord('s')
  byCode[c.bar] = foldWord('il')
  byCode[c.exclamation] = foldWord('il')
  return byCode
})()
