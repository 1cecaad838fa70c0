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
  readonly isQuoted: Uint8Array
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
    isQuoted: new Uint8Array(maxChars + 1),
  }
}

/** Splits `text` from `from` to `to` into words, and says which sentence each is in. */
export function readTokens(text: string, from: number, to: number, tokens: Tokens): void {
  const { codes, codeAt } = tokens
  let count = 0
  let written = 0
  let sentence = 0
  let isInQuotes = false
  let isOpen = false
  let isOdd = false
  let run = 0
  let lastCode = 0
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
    if (code >= c.at && code <= c.exclamation && !isInsideWord(text, at, code, isOpen, to))
      code = code === c.exclamation ? c.sentenceEnd : c.separator
    const isWord = code !== 0 && (code <= c.exclamation || code === c.several)
    if (isWord) {
      if (!isOpen) {
        isOpen = true
        isOdd = false
        run = 0
        lastCode = 0
        tokens.start[count] = at
        tokens.from[count] = written
        tokens.sentence[count] = sentence
        tokens.isQuoted[count] = isInQuotes ? 1 : 0
      }
      if (code === c.several) {
        for (const part of severalLetters.get(unit) as readonly number[]) {
          codes[written] = part
          codeAt[written++] = at
        }
        lastCode = 0
      } else {
        codes[written] = code
        codeAt[written++] = at
        run = code === lastCode ? run + 1 : 1
        lastCode = code
        if (run === 3 || code > c.lastLetter) isOdd = true
      }
      at += width - 1
      tokens.end[count] = at + 1
      continue
    }
    at += width - 1
    if (isOpen) {
      isOpen = false
      tokens.to[count] = written
      tokens.isOdd[count] = isOdd ? 1 : 0
      count++
    }
    if (unit === 0x3c && text.startsWith('!--', at + 1)) {
      count = addWord(tokens, count, written, at, ++sentence, htmlComment)
      written += htmlComment.length
      at += 3
    } else if (code === c.sentenceEnd) {
      if (isEndOfSentence(text, at + 1, to)) sentence++
    } else if (code === c.quote)
      isInQuotes = unit === 0x22 ? !isInQuotes : unit === 0x201c || unit === 0x201e || unit === 0xab
    else if (code === c.lineEnd && text.charCodeAt(at + 1) === 10) sentence++
  }
  if (isOpen) {
    tokens.to[count] = written
    tokens.isOdd[count] = isOdd ? 1 : 0
    count++
  }
  tokens.count = count
}

/** What rules call the beginning of a comment, in which texts are hidden from people. */
const htmlComment = foldWord('htmlcomment')

function addWord(
  tokens: Tokens,
  count: number,
  written: number,
  at: number,
  sentence: number,
  codes: readonly number[],
): number {
  tokens.start[count] = at
  tokens.end[count] = at + 4
  tokens.from[count] = written
  tokens.to[count] = written + codes.length
  tokens.sentence[count] = sentence
  tokens.isOdd[count] = 0
  tokens.isQuoted[count] = 0
  tokens.codes.set(codes, written)
  tokens.codeAt.fill(at, written, written + codes.length)
  return count + 1
}

/** A mark ends a sentence where white space, a quote or nothing follows: dots within names, numbers and spelled-out words do not. */
function isEndOfSentence(text: string, next: number, to: number): boolean {
  if (next >= to) return true
  const unit = text.charCodeAt(next)
  return unit <= 32 || unit === 0x22 || unit === 0x27 || unit === 0x201d || unit === 0x29 || unit > 0x2e80
}

/** Whether a symbol stands for a letter of a word, as in `$hit` and `f*ck`, and not for itself. */
function isInsideWord(text: string, at: number, code: number, isOpen: boolean, to: number): boolean {
  let next = at + 1
  while (next < to && next < at + 4 && letterCodes[text.charCodeAt(next)] === code) next++
  const isBeforeLetter = next < to && isLetterOrDigit(letterCodes[text.charCodeAt(next)] as number)
  return isBeforeLetter && (isOpen || code === c.at || code === c.dollar)
}

function isLetterOrDigit(code: number): boolean {
  return code > 0 && code <= c.lastDigit
}
