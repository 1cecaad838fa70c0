import type { Archive } from './archive.ts'
import { readRelations, relationOf } from './office-parts.ts'
import { readDateStyles, writeDate } from './spreadsheet-dates.ts'
import type { TextWriter } from './text-writer.ts'
import { walkXml } from './walk-xml.ts'

type Sheet = { readonly name: string; readonly part: string }

/** The cells of a workbook, sheet by sheet: a line for each row, with tabs between the cells that hold something. */
export function readXlsx(archive: Archive, writer: TextWriter): void {
  const main = 'xl/workbook.xml'
  const relations = readRelations(archive, main)
  const partOf = (wanted: string): string =>
    [...relations.values()].find(({ type }) => type === wanted)?.part ?? `xl/${wanted}.xml`
  const sheets: Sheet[] = []
  let is1904 = false
  walkXml(archive.read(main) ?? new Uint8Array(), {
    open(name, attributes) {
      if (name === 'workbookPr') is1904 = attributes.date1904 === '1' || attributes.date1904 === 'true'
      const part = name === 'sheet' ? relations.get(relationOf(attributes) ?? '')?.part : undefined
      if (part) sheets.push({ name: attributes.name ?? '', part })
    },
  })
  const shared = readSharedTexts(archive.read(partOf('sharedStrings')))
  const dateStyles = readDateStyles(archive.read(partOf('styles')))
  for (const { name, part } of sheets) {
    writer.part()
    writer.flow(name)
    writer.line()
    readCells(archive, part, writer, (type, style, value) => {
      if (type === 's') return shared[Number(value)] ?? ''
      if (type === 'b') return value === '1' ? 'TRUE' : 'FALSE'
      if (type === 'n' && dateStyles.has(style)) return writeDate(Number(value), is1904) ?? value
      return value
    })
  }
}

function readSharedTexts(content: Uint8Array | undefined): string[] {
  const texts: string[] = []
  if (!content) return texts
  let text = ''
  let isText = false
  // How Japanese words are read is told beside them.
  let phonetic = 0
  walkXml(content, {
    open(name) {
      if (name === 'rPh') phonetic++
      isText = name === 't' && phonetic === 0
    },
    text(piece) {
      if (isText) text += piece
    },
    close(name) {
      isText = false
      if (name === 'rPh') phonetic--
      if (name !== 'si') return
      texts.push(text)
      text = ''
    },
  })
  return texts
}

function readCells(
  archive: Archive,
  part: string,
  writer: TextWriter,
  show: (type: string, style: number, value: string) => string,
): void {
  const content = archive.read(part)
  if (!content) return
  let type = 'n'
  let style = 0
  let value = ''
  let isValue = false
  let hasCell = false
  walkXml(content, {
    open(name, attributes) {
      if (name === 'c') {
        type = attributes.t ?? 'n'
        style = Number(attributes.s ?? 0)
        value = ''
      } else if (name === 'row') hasCell = false
      isValue = name === 'v' || name === 't'
    },
    text(text) {
      if (isValue) value += text
    },
    close(name) {
      isValue = false
      if (name === 'c' && value !== '') {
        if (hasCell) writer.add('\t')
        writer.flow(show(type, style, value))
        hasCell = true
      } else if (name === 'row') writer.line()
    },
  })
}
