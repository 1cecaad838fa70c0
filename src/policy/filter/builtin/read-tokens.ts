import { letterCode as c, codeOfAstral, foldWord, letterCodes, severalLetters } from './letters.ts'

/** The words of a piece of text. Arrays are longer than needed and used again for the next text: `count` says how much of them holds. */
export type Tokens = {
  count: number
  /** Where the word stands in the text; `end` is behind it. */
  readonly start: Int32Array
  readonly end: Int32Array
  /** Its letters are `codes` from `from` to `to`. */
  readonly from: Int32Array
  readonly to: Int32Array
  readonly codes: Uint8Array
  /** Where the letter of a code stands in the text. */
  readonly codeAt: Int32Array
  readonly sentence: Int32Array
  /** 1 for words that may be written otherwise than they are meant: with digits, symbols or letters three times in a row. */
  readonly isOdd: Uint8Array
}

export function createTokens(maxChars: number): Tokens {
  return {
    count: 0,
    start: new Int32Array(maxChars + 1),
    end: new Int32Array(maxChars + 1),
    from: new Int32Array(maxChars + 1),
    to: new Int32Array(maxChars + 1),
    codes: new Uint8Array(maxChars * 4 + 4),
    codeAt: new Int32Array(maxChars * 4 + 4),
    sentence: new Int32Array(maxChars + 1),
    isOdd: new Uint8Array(maxChars + 1),
  }
}

/**
 * Splits `text` from `from` to `to` into words, and says which sentence each is in. Symbols such as in `$hit` and `f*ck` belong to a
 * word where a letter of it follows them.
 */
export function readTokens(text: string, from: number, to: number, tokens: Tokens): void {
  const { codes, codeAt } = tokens
  let count = 0
  let written = 0
  let sentence = 0
  let isOpen = false
  let isOdd = false
  let hasExclamation = false
  // Behind the last letter of the open word: what is beyond are symbols that may not belong to it.
  let lettersTo = 0
  let run = 0
  let lastCode = 0

  const open = (at: number): void => {
    isOpen = true
    isOdd = false
    hasExclamation = false
    run = 0
    lastCode = 0
    tokens.start[count] = at
    tokens.from[count] = written
    tokens.sentence[count] = sentence
    lettersTo = written
  }
  const close = (): void => {
    isOpen = false
    written = lettersTo
    if (written === tokens.from[count]) return
    tokens.to[count] = written
    tokens.isOdd[count] = isOdd ? 1 : 0
    count++
  }
  const add = (code: number, at: number, end: number): void => {
    if (!isOpen) open(at)
    codes[written] = code
    codeAt[written++] = at
    run = code === lastCode ? run + 1 : 1
    lastCode = code
    if (run === 3 || code > c.lastLetter) isOdd = true
    if (code <= c.foreign) {
      lettersTo = written
      hasExclamation = false
      tokens.end[count] = end
    } else if (code === c.exclamation) hasExclamation = true
  }

  for (let at = from; at < to; at++) {
    const unit = text.charCodeAt(at)
    let code = letterCodes[unit] as number
    let width = 1
    if (code === c.highSurrogate) {
      const low = at + 1 < to ? text.charCodeAt(at + 1) : 0
      const isPair = low >= 0xdc00 && low <= 0xdfff
      code = isPair ? codeOfAstral((unit - 0xd800) * 0x400 + (low - 0xdc00) + 0x10000) : c.separator
      if (isPair) width = 2
    }
    if (code === c.invisible) {
      at += width - 1
      continue
    }
    if (code > 0 && code <= c.foreign) add(code, at, at + width)
    else if (code === c.several) for (const part of severalLetters.get(unit) as readonly number[]) add(part, at, at + 1)
    else if (code === c.at || code === c.dollar || (isOpen && code >= c.bar && code <= c.exclamation && hasLetters()))
      add(code, at, at + 1)
    else {
      if (isOpen) {
        close()
        if (hasExclamation && isEndOfSentence(text, at, to)) sentence++
      }
      if (unit === 0x3c && text.startsWith('!--', at + 1)) {
        count = addWord(tokens, count, written, at, ++sentence)
        written += htmlComment.length
        at += 3
      } else if (code === c.sentenceEnd || code === c.exclamation) {
        if (isEndOfSentence(text, at + 1, to)) sentence++
      } else if (code === c.lineEnd && text.charCodeAt(at + 1) === 10) sentence++
    }
    at += width - 1
  }
  if (isOpen) close()
  tokens.count = count

  function hasLetters(): boolean {
    return lettersTo > (tokens.from[count] as number)
  }
}

/** What rules call the beginning of a comment, in which texts are hidden from people. */
const htmlComment = foldWord('htmlcomment')

function addWord(tokens: Tokens, count: number, written: number, at: number, sentence: number): number {
  tokens.start[count] = at
  tokens.end[count] = at + 4
  tokens.from[count] = written
  tokens.to[count] = written + htmlComment.length
  tokens.sentence[count] = sentence
  tokens.isOdd[count] = 0
  tokens.codes.set(htmlComment, written)
  tokens.codeAt.fill(at, written, written + htmlComment.length)
  return count + 1
}

/** A mark ends a sentence where white space, a quote or nothing follows: dots within names, numbers and spelled-out words do not. */
function isEndOfSentence(text: string, next: number, to: number): boolean {
  if (next >= to) return true
  const unit = text.charCodeAt(next)
  return unit <= 32 || unit === 0x22 || unit === 0x27 || unit === 0x201d || unit === 0x29 || unit > 0x2e80
}
