/** A line of a file. `bytes` are absent of one that is too long to be held. */
export type InputLine = {
  /** From 1. */
  readonly number: number
  /** Where it begins in the file. */
  readonly start: number
  /** Where the next one begins. */
  readonly next: number
  /** Without the line break. */
  readonly bytes: Uint8Array | undefined
}

export type LinePlace = {
  /** Lines before. */
  readonly line: number
  /** Bytes before. */
  readonly offset: number
}

export type LineSplitter = {
  /** The lines that end in this piece. They may share its memory. */
  push(piece: Uint8Array): InputLine[]
  /** What came after the last line break. */
  end(): InputLine[]
}

const newline = 0x0a
const carriageReturn = 0x0d

/** Cuts a file that comes in pieces of any size at its line breaks, LF or CRLF. `from` is where the first piece begins. */
export function createLineSplitter(from: LinePlace, maxLineBytes: number): LineSplitter {
  let number = from.line
  /** Where the line begins that has begun. */
  let start = from.offset
  let held: Uint8Array[] = []
  let heldBytes = 0
  let isTooLong = false

  function hold(part: Uint8Array): void {
    heldBytes += part.length
    // One more byte than allowed may be the CR of the line break.
    if (heldBytes > maxLineBytes + 1) {
      isTooLong = true
      held = []
    } else if (part.length > 0) held.push(part)
  }

  function close(breakBytes: number): InputLine {
    const next = start + heldBytes + breakBytes
    const line = { number: ++number, start, next, bytes: isTooLong ? undefined : readHeld() }
    start = next
    held = []
    heldBytes = 0
    isTooLong = false
    return line
  }

  function readHeld(): Uint8Array | undefined {
    const whole = held.length === 1 ? (held[0] as Uint8Array) : Buffer.concat(held)
    const bytes = whole.at(-1) === carriageReturn ? whole.subarray(0, -1) : whole
    return bytes.length > maxLineBytes ? undefined : bytes
  }

  return {
    push(piece) {
      const lines: InputLine[] = []
      let at = 0
      for (;;) {
        const end = piece.indexOf(newline, at)
        if (end === -1) break
        hold(piece.subarray(at, end))
        lines.push(close(1))
        at = end + 1
      }
      // Held beyond this piece, whose memory its maker may use again. A Buffer's own `slice` would share it.
      if (at < piece.length) hold(Uint8Array.prototype.slice.call(piece, at))
      return lines
    },
    end: () => (heldBytes > 0 ? [close(0)] : []),
  }
}
