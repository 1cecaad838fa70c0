/**
 * Keeps what callers write from turning into control tokens.
 *
 * A prompt is tokenised in one go, as the model was trained, with the texts of control tokens (`<|im_end|>`) recognised. A
 * caller's text that contains such a text must not be: its first character is set apart by a seam on each side, and the
 * tokenizer sees the pieces one by one, so that no piece holds the reserved text any more. Text without reserved texts, which
 * is nearly all text, keeps its natural tokens. It is safe for whatever a chat template does with strings (trim, tojson, +).
 */

export type GuardedPiece = { readonly text: string; readonly isCaller: boolean }

/** A character no text of the request contains, from the private use area. */
export function pickSeam(requestText: string): string {
  for (let code = 0xe000; code <= 0xf8ff; code++) {
    const seam = String.fromCharCode(code)
    if (!requestText.includes(seam)) return seam
  }
  throw new RangeError('the request uses every private-use character')
}

/**
 * A function that sets apart, between two seams each, the first character of every reserved text in a caller's text, and of
 * every beginning of one at the text's end, which the text that follows it might complete.
 */
export function createGuard(reserved: readonly string[], seam: string): (text: string) => string {
  const byFirst = Map.groupBy(reserved.filter(Boolean), (text) => firstCharacter(text))
  return (text) => {
    let guarded = ''
    let copied = 0
    for (let at = 0; at < text.length; at++) {
      const candidates = byFirst.get(firstCharacter(text, at))
      if (!candidates?.some((candidate) => begins(candidate, text, at))) continue
      const first = firstCharacter(text, at)
      guarded += text.slice(copied, at) + seam + first + seam
      copied = at + first.length
    }
    return copied === 0 ? text : guarded + text.slice(copied)
  }
}

/** The pieces to tokenise one by one: every other one is a character set apart, to be tokenised as plain text. */
export function splitGuarded(rendered: string, seam: string): GuardedPiece[] {
  return rendered
    .split(seam)
    .map((text, index) => ({ text, isCaller: index % 2 === 1 }))
    .filter((piece) => piece.text !== '')
}

function begins(candidate: string, text: string, at: number): boolean {
  return text.startsWith(candidate, at) || (text.length - at < candidate.length && candidate.startsWith(text.slice(at)))
}

function firstCharacter(text: string, at = 0): string {
  return String.fromCodePoint(text.codePointAt(at) as number)
}
