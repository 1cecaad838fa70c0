import type { Archive } from './archive.ts'
import { readRelations, relationOf } from './office-parts.ts'
import type { TextWriter } from './text-writer.ts'
import { walkXml } from './walk-xml.ts'

/** The text of a presentation, slide by slide in the order they are shown, with the notes of each. */
export function readPptx(archive: Archive, writer: TextWriter): void {
  const main = 'ppt/presentation.xml'
  const relations = readRelations(archive, main)
  const slides: string[] = []
  walkXml(archive.read(main) ?? new Uint8Array(), {
    open(name, attributes) {
      const part = name === 'sldId' ? relations.get(relationOf(attributes) ?? '')?.part : undefined
      if (part) slides.push(part)
    },
  })
  for (const slide of slides) {
    writer.part()
    readShapes(archive, slide, writer)
    for (const { type, part } of readRelations(archive, slide).values()) {
      if (type !== 'notesSlide') continue
      writer.paragraph()
      readShapes(archive, part, writer)
    }
  }
}

function readShapes(archive: Archive, part: string, writer: TextWriter): void {
  const content = archive.read(part)
  if (!content) return
  let isText = false
  // The number of the page, the date: what a layout puts on every slide.
  let field = 0
  let cells = 0
  walkXml(content, {
    open(name) {
      isText = name === 't' && field === 0
      if (name === 'fld') field++
      else if (name === 'br') writer.line()
      else if (name === 'tc') cells++
    },
    text(text) {
      if (isText) writer.add(text)
    },
    close(name) {
      isText = false
      if (name === 'fld') field--
      else if (name === 'p') {
        if (cells > 0) writer.flow(' ')
        else writer.line()
      } else if (name === 'tc') {
        cells--
        writer.cell()
      } else if (name === 'tr') writer.line()
      else if (name === 'txBody' && cells === 0) writer.paragraph()
    },
  })
}
