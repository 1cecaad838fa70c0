import type { Archive } from './archive.ts'
import { readRelations } from './office-parts.ts'
import type { TextWriter } from './text-writer.ts'
import { walkXml } from './walk-xml.ts'

/** What says how something looks, what was moved away, and the second telling of what older programs do not know. */
const skipped = new Set(['pPr', 'rPr', 'tblPr', 'sectPr', 'moveFrom', 'Fallback'])

/** The text of a Word document, with its foot- and endnotes; what was deleted, comments, headers and footers stay out. */
export function readDocx(archive: Archive, writer: TextWriter): void {
  const main = 'word/document.xml'
  readStory(archive, main, writer)
  for (const { type, part } of readRelations(archive, main).values()) {
    if (type !== 'footnotes' && type !== 'endnotes') continue
    writer.part()
    readStory(archive, part, writer)
  }
}

function readStory(archive: Archive, part: string, writer: TextWriter): void {
  const content = archive.read(part)
  if (!content) return
  let skipping = 0
  let cells = 0
  let isText = false
  walkXml(content, {
    open(name, attributes) {
      if (skipped.has(name)) skipping++
      if (skipping > 0) return
      isText = name === 't'
      if (name === 'tab') writer.add('\t')
      else if (name === 'br' || name === 'cr') {
        if (attributes['w:type'] === 'page') writer.part()
        else writer.line()
      } else if (name === 'noBreakHyphen') writer.add('-')
      else if (name === 'tc') cells++
      else if (name === 'tbl') writer.paragraph()
    },
    text(text) {
      if (isText && skipping === 0) writer.add(text)
    },
    close(name) {
      if (skipped.has(name)) skipping--
      if (skipping > 0) return
      isText = false
      if (name === 'p') {
        if (cells > 0) writer.flow(' ')
        else writer.paragraph()
      } else if (name === 'tc') {
        cells--
        writer.cell()
      } else if (name === 'tr') writer.line()
      else if (name === 'tbl') writer.paragraph()
    },
  })
}
