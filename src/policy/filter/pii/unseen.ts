import { invisibleClass } from '../match/invisible.ts'

/** Characters that nobody sees. Patterns read over them, so that nothing hides behind them; checksums must do so too. */
const unseen = new RegExp(`[${invisibleClass}]`, 'gu')

/** The same text where it has none, which is nearly always. */
export function dropUnseen(text: string): string {
  return text.replace(unseen, '')
}

/** Where in `text` the character stands that is the one of that index without those that are not seen. */
export function placeOf(index: number, text: string): number {
  let left = index
  let at = 0
  for (const char of text) {
    if (char.replace(unseen, '') !== '') {
      if (left < char.length) return at + left
      left -= char.length
    }
    at += char.length
  }
  return at
}

/** By UTF-16 unit: whether it is such a character, or begins one beyond the first 65,536. Made when the first text needs it. */
let units: Uint8Array | undefined

export function mayBeUnseen(code: number): boolean {
  units ??= markUnits()
  return units[code] === 1
}

function markUnits(): Uint8Array {
  const marks = new Uint8Array(0x10000)
  for (let code = 0x80; code < 0xd800; code++) if (dropUnseen(String.fromCharCode(code)) === '') marks[code] = 1
  for (let code = 0xe000; code < 0x10000; code++) if (dropUnseen(String.fromCharCode(code)) === '') marks[code] = 1
  for (const first of firstHalves) marks[first] = 1
  return marks
}

/** Of the tags, and of the format controls of scripts and music. */
const firstHalves = [0xd804, 0xd80d, 0xd82f, 0xd834, 0xdb40, 0xdb41, 0xdb42, 0xdb43]
