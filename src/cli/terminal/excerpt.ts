/** Texts of strangers, shown at a terminal. */

/** On one line, and without anything that a terminal would act on. */
export function makeHarmless(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u00b7')
}

/** The beginning of it, on one line; `maxChars` in UTF-16 units. */
export function shorten(text: string, maxChars: number): string {
  const whole = makeHarmless(text.slice(0, 4 * maxChars)).trim()
  if (whole.length <= maxChars && text.length <= 4 * maxChars) return whole
  return `${whole.slice(0, beginOf(whole, maxChars)).trimEnd()}\u2026`
}

const aroundChars = 60

/** The span (UTF-16 units) with what stands around it, marked by `mark`. */
export function excerpt(text: string, start: number, end: number, mark: (part: string) => string): string {
  const from = beginOf(text, Math.max(0, Math.min(start, text.length)))
  const to = endOf(text, Math.max(from, Math.min(end, text.length)))
  const left = beginOf(text, Math.max(0, from - aroundChars))
  const right = endOf(text, Math.min(text.length, to + aroundChars))
  return [
    left > 0 ? '\u2026' : '',
    makeHarmless(text.slice(left, from)),
    mark(makeHarmless(shortenMiddle(text.slice(from, to)))),
    makeHarmless(text.slice(to, right)),
    right < text.length ? '\u2026' : '',
  ]
    .join('')
    .trim()
}

/** A finding may be about a whole text. */
function shortenMiddle(text: string): string {
  if (text.length <= 4 * aroundChars) return text
  const end = beginOf(text, 2 * aroundChars)
  const start = endOf(text, text.length - 2 * aroundChars)
  return `${text.slice(0, end)} \u2026 ${text.slice(start)}`
}

/** Not between the halves of a character. */
const isSplit = (text: string, at: number): boolean =>
  at > 0 && at < text.length && (text.codePointAt(at - 1) ?? 0) > 0xffff
const beginOf = (text: string, at: number): number => (isSplit(text, at) ? at - 1 : at)
const endOf = (text: string, at: number): number => (isSplit(text, at) ? at + 1 : at)
