/**
 * Finds stop strings in a text that comes in pieces. Whatever the pieces, the same text is let through: the one before the stop
 * string that is complete first. The end of a piece that may be the beginning of a stop string is held back.
 */
export type StopScanner = {
  /** The text that may go out now, and whether a stop string has been met: then nothing may follow. */
  push(text: string): { readonly text: string; readonly isStopped: boolean }
  /** What was still held back when the text ended. */
  end(): string
}

export function createStopScanner(stops: readonly string[]): StopScanner {
  let held = ''
  return {
    push(text) {
      const seen = held + text
      const start = findFirstStop(seen, stops)
      if (start >= 0) {
        held = ''
        return { text: seen.slice(0, start), isStopped: true }
      }
      const safe = seen.length - longestOpenEnd(seen, stops)
      held = seen.slice(safe)
      return { text: seen.slice(0, safe), isStopped: false }
    },
    end() {
      const rest = held
      held = ''
      return rest
    },
  }
}

/** Where the stop string that ends first begins; the longest of those that end there. -1 when there is none. */
function findFirstStop(text: string, stops: readonly string[]): number {
  let firstEnd = Number.POSITIVE_INFINITY
  let start = -1
  for (const stop of stops) {
    const at = text.indexOf(stop)
    if (at < 0) continue
    const end = at + stop.length
    if (end < firstEnd || (end === firstEnd && at < start)) {
      firstEnd = end
      start = at
    }
  }
  return start
}

/** Length of the longest end of `text` that begins one of `marks` without completing it. */
export function longestOpenEnd(text: string, marks: readonly string[]): number {
  let longest = 0
  for (const mark of marks) {
    for (let length = Math.min(mark.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(mark.slice(0, length))) longest = length
    }
  }
  return longest
}
