import { type Extracted, IngestionError } from '../port.ts'

/** Puts the text of a document together, and stops what would be too long. */
export type TextWriter = {
  /** As it is, but for characters that nobody sees. */
  add(text: string): void
  /** As a page shows it: what is blank is one blank, or none at the beginning of a line. */
  flow(text: string): void
  /** Ends a cell of a table. */
  cell(): void
  /** Ends the line, if one has begun, without the blanks at its end. */
  line(): void
  /** Leaves a line free, if there was something before. */
  paragraph(): void
  /** What follows is a new page, slide, sheet or chapter. */
  part(): void
  finish(): Pick<Extracted, 'text' | 'breaks'>
}

/** Controls but for tab and line feed, marks of the byte order, and hyphens that show only where a line is broken. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unseen = /[\0-\x08\x0b-\x1f\x7f-\x9f\xad\ufeff]/g

/** Throws IngestionError, from any of its functions, once the text has more than `maxCharacters`. */
export function openText(maxCharacters: number): TextWriter {
  const pieces: string[] = []
  const breaks: number[] = []
  let length = 0
  /** Line feeds at the end. */
  let feeds = 0
  let endsBlank = true

  const put = (text: string): void => {
    if (text === '') return
    length += text.length
    if (length > maxCharacters) throw tooLong()
    pieces.push(text)
    note(text)
  }
  const note = (last: string): void => {
    feeds = last.endsWith('\n\n') ? 2 : last.endsWith('\n') ? 1 : 0
    endsBlank = /\s/.test(last.at(-1) as string)
  }
  const trim = (): void => {
    for (;;) {
      const last = pieces.pop()
      if (last === undefined) return
      const kept = last.slice(0, findEnd(last))
      length -= last.length - kept.length
      if (kept === '') continue
      pieces.push(kept)
      note(kept)
      return
    }
  }
  const feed = (wanted: number): void => {
    if (endsBlank && feeds === 0) trim()
    if (length > 0 && feeds < wanted) put('\n'.repeat(wanted - feeds))
    feeds = Math.max(feeds, wanted)
  }
  return {
    add: (text) => put(text.replace(/\r\n?|[\u2028\u2029\f\v]/g, '\n').replace(unseen, '')),
    flow(text) {
      const joined = text.replace(/[\s\u2028\u2029]+/g, ' ').replace(unseen, '')
      put(endsBlank && joined.startsWith(' ') ? joined.slice(1) : joined)
    },
    cell() {
      trim()
      put('\t')
    },
    line: () => feed(1),
    paragraph: () => feed(2),
    part() {
      feed(2)
      if (length > 0 && breaks.at(-1) !== length) breaks.push(length)
    },
    finish: () => ({ text: pieces.join('').toWellFormed(), breaks }),
  }
}

/** Where the text ends but for blanks and tabs. */
function findEnd(text: string): number {
  let end = text.length
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--
  return end
}

export function tooLong(): IngestionError {
  return new IngestionError('invalid_file', 'The text of this file is too long. Split it into smaller files.')
}
