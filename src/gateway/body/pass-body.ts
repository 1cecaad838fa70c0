import { setImmediate as turn } from 'node:timers/promises'
import { type Fault, toFault } from '../../core/fault.ts'

const lf = 0x0a
const cr = 0x0d

/**
 * The body of an answer that is passed on byte for byte. When the upstream fails in the middle, the caller must not take what came
 * for the whole: an event stream that stands between two events ends with the protocol's error event, anything else is cut off
 * without its end, which is what the rejection makes the server do.
 */
export async function* passBody(
  body: AsyncIterable<Uint8Array>,
  writeError: ((fault: Fault) => string) | undefined,
  signal: AbortSignal,
  noteFailure: (fault: Fault) => void,
): AsyncGenerator<Uint8Array | string, undefined> {
  let tail: readonly number[] = [lf, lf]
  try {
    for await (const bytes of body) {
      if (bytes.length > 0) tail = [...tail, ...bytes.subarray(-3)].slice(-3)
      yield bytes
    }
  } catch (error) {
    if (signal.aborted) return
    noteFailure(toFault(error))
    if (!writeError || !isBlankLine(tail)) {
      // Bun sends the head some turns of its loop after it got the first piece; cut off before, the caller would read half a head.
      for (let turns = 0; turns < 4; turns++) await turn()
      throw error
    }
    yield writeError(toFault(error))
  }
}

/** Whether these last bytes end in a blank line, LF or CRLF. */
function isBlankLine(tail: readonly number[]): boolean {
  const rest = tail.filter((byte) => byte !== cr)
  return tail.at(-1) === lf && rest.at(-2) === lf
}
