/** A piece of text that is written in a code, and what it says. */
export type DecodedRun = {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly coding: string
}

const maxRuns = 6
const maxDecodedChars = 1_200
const minBase64Chars = 16
const minHexDigits = 20
const minEscapes = 3
/** Words may be escaped in part: what stands around escapes is read with them. */
const charsAroundEscapes = 80

const kindOf = new Uint8Array(128)
const letter = 1
const digit = 2
const hexLetter = 4
const base64Sign = 8
for (let unit = 0; unit < 128; unit++) {
  const char = String.fromCharCode(unit)
  if (/[a-z]/i.test(char)) kindOf[unit]! |= letter
  if (/[a-f]/i.test(char)) kindOf[unit]! |= hexLetter
  if (/[0-9]/.test(char)) kindOf[unit]! |= digit
  if (/[+/\-_]/.test(char)) kindOf[unit]! |= base64Sign
}

/**
 * The runs of base64, hex, percent escapes and JSON escapes, each decoded once and not again; what does not decode to text is left
 * out, and so is what is beyond six runs or 1,200 characters. Takes time linear in the text.
 */
export function decodeRuns(text: string): DecodedRun[] {
  const runs: DecodedRun[] = []
  let left = maxDecodedChars
  const add = (start: number, end: number, decoded: string | undefined, coding: string): void => {
    if (decoded === undefined || runs.length >= maxRuns || left <= 0) return
    const cut = decoded.slice(0, left)
    left -= cut.length
    runs.push({ start, end, text: cut, coding })
  }
  for (let at = 0; at < text.length && runs.length < maxRuns; at++) {
    const unit = text.charCodeAt(at)
    if (unit === 0x25 || unit === 0x5c) {
      const end = endOfEscapes(text, at, unit)
      if (end > at) {
        const from = Math.max(0, at - charsAroundEscapes)
        const to = Math.min(text.length, end + charsAroundEscapes)
        const piece = text.slice(from, to)
        add(from, to, unit === 0x25 ? decodePercent(piece) : decodeEscapes(piece), codingOf(unit))
        at = end - 1
      }
      continue
    }
    if (unit >= 128 || kindOf[unit] === 0) continue
    let end = at
    let kinds = 0
    let isHex = true
    for (; end < text.length; end++) {
      const next = text.charCodeAt(end)
      const kind = next < 128 ? (kindOf[next] as number) : 0
      if (kind === 0) break
      kinds |= kind
      if ((kind & (hexLetter | digit)) === 0) isHex = false
    }
    const length = end - at
    if (isHex && length >= minHexDigits && length % 2 === 0 && (kinds & digit) !== 0)
      add(at, end, decodeBytes(text.slice(at, Math.min(end, at + maxDecodedChars * 2)), 'hex'), 'hex')
    else if (length >= minBase64Chars && isMixed(text, at, end))
      add(at, end, decodeBytes(text.slice(at, Math.min(end, at + 1_600)), 'base64'), 'base64')
    at = end - 1
  }
  return runs
}

function codingOf(unit: number): string {
  return unit === 0x25 ? 'percent' : 'escapes'
}

/** Words and paths are letters too: what is coded goes up and down in case more often than they do. */
function isMixed(text: string, from: number, to: number): boolean {
  let changes = 0
  let last = 0
  for (let at = from; at < to && at < from + 200; at++) {
    const unit = text.charCodeAt(at)
    const kind = unit >= 97 ? 1 : unit >= 65 ? 2 : 3
    if (kind !== last) changes++
    last = kind
  }
  return changes * 5 >= Math.min(to - from, 200)
}

function decodeBytes(coded: string, coding: 'hex' | 'base64'): string | undefined {
  const bytes = Buffer.from(coded, coding)
  if (bytes.length < 8) return undefined
  let readable = 0
  for (const byte of bytes) if ((byte >= 32 && byte < 127) || byte === 10 || byte >= 0xc3) readable++
  return readable * 10 >= bytes.length * 9 ? bytes.toString('utf8') : undefined
}

/** The end of a stretch of which at least three escapes are a good part; `from` if it is none. */
function endOfEscapes(text: string, from: number, sign: number): number {
  let escapes = 0
  let end = from
  for (let at = from; at < text.length && at < from + 4_000; ) {
    const width = escapeWidth(text, at, sign)
    if (width > 0) {
      escapes++
      at += width
      end = at
    } else if (at - end < 12) at++
    else break
  }
  return escapes >= minEscapes ? end : from
}

function escapeWidth(text: string, at: number, sign: number): number {
  if (text.charCodeAt(at) !== sign) return 0
  if (sign === 0x25) return isHexAt(text, at + 1, 2) ? 3 : 0
  const kind = text.charCodeAt(at + 1)
  if (kind === 0x75) return isHexAt(text, at + 2, 4) ? 6 : 0
  return kind === 0x78 && isHexAt(text, at + 2, 2) ? 4 : 0
}

function isHexAt(text: string, from: number, length: number): boolean {
  for (let at = from; at < from + length; at++) {
    const unit = text.charCodeAt(at)
    if (!(unit < 128 && ((kindOf[unit] as number) & (hexLetter | digit)) !== 0)) return false
  }
  return true
}

function decodePercent(coded: string): string {
  return coded
    .replace(/\+/g, ' ')
    .replace(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'))
}

function decodeEscapes(coded: string): string {
  return coded.replace(/\\u([0-9a-f]{4})|\\x([0-9a-f]{2})/gi, (_all, wide, narrow) =>
    String.fromCharCode(Number.parseInt(wide ?? narrow, 16)),
  )
}
