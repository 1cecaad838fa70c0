/**
 * The range that a `Range` header asks for, of so many bytes: `undefined` for all of them, `'none'` for one that lies beyond them.
 * A header that is not understood, or asks for several ranges, is one that was not sent (RFC 9110, section 14.2).
 */
export function readRange(
  header: string | null,
  length: number,
): { readonly start: number; readonly end: number } | 'none' | undefined {
  const [, first, last] = /^bytes[ \t]*=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first === '') {
    const count = Math.min(Number(last), length)
    return count === 0 ? 'none' : { start: length - count, end: length }
  }
  const start = Number(first)
  const end = last === '' ? length : Math.min(Number(last) + 1, length)
  if (last !== '' && Number(last) < start) return undefined
  return start >= length ? 'none' : { start, end }
}
