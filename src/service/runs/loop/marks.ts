import type { Citation } from '../../tools/hosted-tool.ts'

/** A piece of what the model writes: text as it is, or a mark that stands for a source. */
export type MarkedPiece = string | Citation

/**
 * Takes the marks of known sources out of a text that comes in pieces. What may become a mark is kept back until it is one, or none; the
 * same sources in other words are text.
 */
export type MarkReader = {
  /** More sources, from a tool that has answered since. */
  know(citations: readonly Citation[]): void
  read(text: string): readonly MarkedPiece[]
  /** What was kept back, as text. */
  end(): string
}

export function openMarkReader(): MarkReader {
  const known = new Map<string, Citation>()
  let first = new Set<string>()
  let kept = ''

  /** A mark that begins there; whether one may begin there, as far as the text goes. */
  function lookAt(text: string, at: number): Citation | 'perhaps' | undefined {
    const left = text.length - at
    let isPossible = false
    for (const [mark, citation] of known) {
      if (mark.length <= left) {
        if (text.startsWith(mark, at)) return citation
      } else if (mark.startsWith(text.slice(at))) isPossible = true
    }
    return isPossible ? 'perhaps' : undefined
  }

  return {
    know(citations) {
      for (const citation of citations) if (citation.mark !== '') known.set(citation.mark, citation)
      first = new Set([...known.keys()].map((mark) => mark[0] as string))
    },
    read(text) {
      if (known.size === 0) return text === '' ? [] : [text]
      const whole = kept + text
      kept = ''
      const pieces: MarkedPiece[] = []
      let from = 0
      for (let at = 0; at < whole.length; at++) {
        if (!first.has(whole[at] as string)) continue
        const found = lookAt(whole, at)
        if (found === undefined) continue
        if (at > from) pieces.push(whole.slice(from, at))
        from = at
        if (found === 'perhaps') {
          kept = whole.slice(at)
          return pieces
        }
        pieces.push(found)
        from = at + found.mark.length
        at = from - 1
      }
      if (from < whole.length) pieces.push(whole.slice(from))
      return pieces
    },
    end() {
      const text = kept
      kept = ''
      return text
    },
  }
}

/** Characters as the vendor's clients count them: UNCONFIRMED, and decided as Python does, code points. */
export function countCharacters(text: string): number {
  let count = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0xd800 && code <= 0xdbff) count--
  }
  return count
}
