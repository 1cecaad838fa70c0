import { applyEdits, editsOf } from '../gate/text-events.ts'
import type { PiiMatch } from '../plan.ts'
import { longestPlaceholder, type RedactionBook } from './redaction-book.ts'

/**
 * The texts with placeholders for what was found in them. `matches` are of the texts read as one: what stands across two of them is put
 * into the first.
 */
export function redactTexts(
  texts: readonly string[],
  matches: readonly PiiMatch[],
  book: RedactionBook,
): readonly string[] {
  const edits = editsOf(matches, texts.join(''), ({ type }, value) => book.placeholderOf(type, value))
  let from = 0
  return texts.map((text) => {
    from += text.length
    return applyEdits(text, from - text.length, edits)
  })
}

/** Puts originals back into an answer that comes in pieces, cut anywhere. */
export type Restorer = {
  /** What can be given out now: all but what may yet become a placeholder. */
  feed(text: string): string
  end(): string
}

/**
 * `write`: how an original is written where it is put: as it is, or escaped, such as by `escapeJson` within the arguments of tools.
 * A placeholder that the book does not have was not ours, and stays.
 */
export function openRestorer(
  book: RedactionBook,
  write: (original: string) => string = (original) => original,
): Restorer {
  let held = ''
  return {
    feed(text) {
      if (book.isEmpty) return text
      const all = held + text
      held = ''
      let restored = ''
      let from = 0
      let close = all.indexOf(']')
      for (let at = all.indexOf('['); at >= 0; at = all.indexOf('[', at + 1)) {
        if (close >= 0 && close < at) close = all.indexOf(']', at)
        if (close < 0) {
          if (all.length - at > longestPlaceholder || !book.canBecome(all.slice(at))) continue
          held = all.slice(at)
          return restored + all.slice(from, at)
        }
        if (close - at > longestPlaceholder) continue
        const original = book.originalOf(all.slice(at, close + 1))
        if (original === undefined) continue
        restored += all.slice(from, at) + write(original)
        from = close + 1
      }
      return restored + all.slice(from)
    },
    end() {
      const rest = held
      held = ''
      return rest
    },
  }
}

/** A value as it stands within a JSON string. */
export function escapeJson(value: string): string {
  return JSON.stringify(value).slice(1, -1)
}
