/**
 * Reads text that is within JSON, as tool arguments are: what stands there escaped is what the caller's parser will see. Pieces may be cut
 * anywhere, also within an escape.
 */
export type JsonTextReader = {
  /** The text that these characters say. */
  read(raw: string): string
  /** What an escape was begun and not finished with. */
  end(): string
  /** The place in the raw characters where the text's character number `at` begins. */
  rawOf(at: number): number
  /** Of places before that raw one nobody will ask any more, or only whether they lie before it. */
  forget(raw: number): void
}

/** Fewer are not worth a look. */
const keptShifts = 512

const escaped = /\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))/y
const incomplete = /\\(?:u[0-9a-fA-F]{0,3})?$/
const plain: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

export function openJsonText(): JsonTextReader {
  let pending = ''
  let rawLength = 0
  let textLength = 0
  /** From which character of the text on raw places are how much further. Only escapes move them. */
  const shifts: { text: number; by: number }[] = []
  /** Of the last shift that was forgotten. */
  let forgottenBy = 0

  function take(raw: string): string {
    if (!raw.includes('\\')) {
      rawLength += raw.length
      textLength += raw.length
      return raw
    }
    let text = ''
    for (let at = 0; at < raw.length; ) {
      escaped.lastIndex = at
      const match = raw.charCodeAt(at) === 0x5c ? escaped.exec(raw) : null
      if (!match) {
        text += raw[at]
        at++
        continue
      }
      const [whole, hex, letter] = match
      text += hex === undefined ? (plain[letter as string] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16))
      at += whole.length
      shifts.push({ text: textLength + text.length, by: rawLength + at - (textLength + text.length) })
    }
    rawLength += raw.length
    textLength += text.length
    return text
  }

  return {
    read(raw) {
      const all = pending + raw
      const cut = incomplete.exec(all)
      // A backslash that is itself escaped begins nothing.
      const isOpen = cut !== null && countBackslashesBefore(all, cut.index) % 2 === 0
      pending = isOpen ? all.slice(cut.index) : ''
      return take(isOpen ? all.slice(0, cut.index) : all)
    },
    end() {
      const rest = pending
      pending = ''
      rawLength += rest.length
      textLength += rest.length
      return rest
    },
    rawOf(at) {
      let low = 0
      let high = shifts.length
      while (low < high) {
        const middle = (low + high) >> 1
        if ((shifts[middle] as { text: number }).text <= at) low = middle + 1
        else high = middle
      }
      return at + (low === 0 ? forgottenBy : (shifts[low - 1] as { by: number }).by)
    },
    forget(raw) {
      if (shifts.length < 2 * keptShifts) return
      const kept = shifts.findIndex(({ text, by }) => text + by > raw)
      const count = kept < 0 ? shifts.length : kept
      if (count < keptShifts) return
      forgottenBy = (shifts[count - 1] as { by: number }).by
      shifts.splice(0, count)
    },
  }
}

function countBackslashesBefore(text: string, at: number): number {
  let count = 0
  while (text.charCodeAt(at - 1 - count) === 0x5c) count++
  return count
}
