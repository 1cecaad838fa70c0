import { walkXml } from './walk-xml.ts'

/** Formats of dates and times that every workbook has. */
const builtinDates = new Set([14, 15, 16, 17, 18, 19, 20, 21, 22, 45, 46, 47])
const dayMs = 86_400_000
/** The last day of the year 9999, as days. */
const lastDay = 2_958_465

/** The styles of cells, by number, that show a number as a date. */
export function readDateStyles(content: Uint8Array | undefined): ReadonlySet<number> {
  const styles = new Set<number>()
  if (!content) return styles
  const formats = new Set(builtinDates)
  let isCellFormats = false
  let count = 0
  walkXml(content, {
    open(name, attributes) {
      if (name === 'numFmt' && isDateFormat(attributes.formatCode ?? '')) formats.add(Number(attributes.numFmtId))
      else if (name === 'cellXfs') isCellFormats = true
      else if (name === 'xf' && isCellFormats) {
        if (formats.has(Number(attributes.numFmtId))) styles.add(count)
        count++
      }
    },
    close(name) {
      if (name === 'cellXfs') isCellFormats = false
    },
  })
  return styles
}

/** Letters of days and years outside of quotes, brackets and escapes. */
function isDateFormat(code: string): boolean {
  return /[dyh]|m{2}/i.test(code.slice(0, 200).replace(/"[^"]*"|\[[^\]]*\]|\\.|general|standard/gi, ''))
}

/** Days since 1900, or 1904, as a date: `2026-11-24`, `2026-11-24 19:40`, `19:40`. Undefined for what is none. */
export function writeDate(days: number, is1904: boolean): string | undefined {
  if (!(days >= 0 && days < lastDay)) return undefined
  // The count of 1900 knows a 29 February of that year, which there was not.
  const sinceUnix = is1904 ? days - 24_107 : days < 60 ? days - 25_568 : days - 25_569
  const text = new Date(Math.round(sinceUnix * 1440) * 60_000).toISOString()
  const [date = '', time = ''] = [text.slice(0, 10), text.slice(11, 16)]
  if (days < 1) return time
  return (days * dayMs) % dayMs === 0 ? date : `${date} ${time}`
}
