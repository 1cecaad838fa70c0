import { crc32, deflateRawSync } from 'node:zlib'
import type { SourceFile } from './port.ts'

/** Small documents, written by hand. */

export function asFile(filename: string, content: string | Uint8Array, pieceBytes = 65_536): SourceFile {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return {
    filename,
    bytes: bytes.length,
    async *open() {
      for (let start = 0; start < bytes.length; start += pieceBytes) yield bytes.subarray(start, start + pieceBytes)
    },
  }
}

/** A zip file. What begins with `stored:` in its name is not packed, and stands without that in it. */
export function writeZip(parts: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const bodies: Buffer[] = []
  const directory: Buffer[] = []
  let place = 0
  for (const [title, content] of Object.entries(parts)) {
    const isStored = title.startsWith('stored:')
    const name = Buffer.from(title.replace('stored:', ''))
    const plain = Buffer.from(content as Uint8Array)
    const packed = isStored ? plain : deflateRawSync(plain)
    const header = Buffer.alloc(30)
    header.writeUInt32LE(0x04034b50, 0)
    header.writeUInt16LE(20, 4)
    header.writeUInt16LE(isStored ? 0 : 8, 8)
    header.writeUInt32LE(crc32(plain), 14)
    header.writeUInt32LE(packed.length, 18)
    header.writeUInt32LE(plain.length, 22)
    header.writeUInt16LE(name.length, 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    header.copy(entry, 6, 4, 28)
    entry.writeUInt32LE(place, 42)
    bodies.push(header, name, packed)
    directory.push(entry, name)
    place += header.length + name.length + packed.length
  }
  const list = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Object.keys(parts).length, 8)
  end.writeUInt16LE(Object.keys(parts).length, 10)
  end.writeUInt32LE(list.length, 12)
  end.writeUInt32LE(place, 16)
  return Buffer.concat([...bodies, list, end])
}

const xml = (body: string): string => `<?xml version="1.0" encoding="UTF-8"?>\n${body}`
const types = {
  '[Content_Types].xml': xml('<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'),
}

function relations(targets: Readonly<Record<string, readonly [string, string]>>): string {
  const rows = Object.entries(targets).map(
    ([id, [type, target]]) =>
      `<Relationship Id="${id}" Type="http://schemas.example/relationships/${type}" Target="${target}"/>`,
  )
  return xml(`<Relationships>${rows.join('')}</Relationships>`)
}

const word = (body: string): string =>
  xml(`<w:document xmlns:w="w" xmlns:mc="mc"><w:body>${body}<w:sectPr><w:pgSz/></w:sectPr></w:body></w:document>`)
const wordParagraph = (text: string): string =>
  `<w:p><w:pPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr><w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`

export function writeDocx(paragraphs: readonly string[], more = ''): Buffer {
  return writeZip({
    ...types,
    'word/document.xml': word(paragraphs.map(wordParagraph).join('') + more),
    'word/_rels/document.xml.rels': relations({ rId1: ['footnotes', 'footnotes.xml'] }),
    'word/footnotes.xml': xml(`<w:footnotes xmlns:w="w">${wordParagraph('A note at the foot.')}</w:footnotes>`),
  })
}

/** The slides stand in the file in the opposite order. */
export function writePptx(slides: readonly string[]): Buffer {
  const numbers = slides.map((_, i) => slides.length - i)
  const parts = slides.flatMap((text, i): [string, string][] => [
    [
      `ppt/slides/slide${numbers[i]}.xml`,
      xml(
        `<p:sld xmlns:p="p" xmlns:a="a"><p:sp><p:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></p:txBody></p:sp><a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>left</a:t></a:r></a:p></a:txBody></a:tc><a:tc><a:txBody><a:p><a:r><a:t>right</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl><a:p><a:fld><a:t>12</a:t></a:fld></a:p></p:sld>`,
      ),
    ],
    [
      `ppt/slides/_rels/slide${numbers[i]}.xml.rels`,
      relations({ rId9: ['notesSlide', `../notesSlides/notesSlide${i}.xml`] }),
    ],
    [
      `ppt/notesSlides/notesSlide${i}.xml`,
      xml(
        `<p:notes xmlns:p="p" xmlns:a="a"><p:txBody><a:p><a:r><a:t>Say: ${text}</a:t></a:r></a:p></p:txBody></p:notes>`,
      ),
    ],
  ])
  return writeZip({
    ...types,
    'ppt/presentation.xml': xml(
      `<p:presentation xmlns:p="p" xmlns:r="r"><p:sldIdLst>${slides.map((_, i) => `<p:sldId id="${256 + i}" r:id="rId${i}"/>`).join('')}</p:sldIdLst></p:presentation>`,
    ),
    'ppt/_rels/presentation.xml.rels': relations(
      Object.fromEntries(slides.map((_, i) => [`rId${i}`, ['slide', `slides/slide${numbers[i]}.xml`] as const])),
    ),
    ...Object.fromEntries(parts),
  })
}

/** One sheet; texts are shared, numbers are written, and a `Date` is a number with the style of one. */
export function writeXlsx(name: string, rows: readonly (readonly (string | number | Date)[])[]): Buffer {
  const shared: string[] = []
  const cell = (value: string | number | Date): string => {
    if (typeof value === 'number') return `<c><v>${value}</v></c>`
    if (value instanceof Date) return `<c s="1"><v>${value.getTime() / 86_400_000 + 25_569}</v></c>`
    shared.push(value)
    return `<c t="s"><v>${shared.length - 1}</v></c>`
  }
  const body = rows.map((row) => `<row>${row.map(cell).join('')}</row>`).join('')
  return writeZip({
    ...types,
    'xl/workbook.xml': xml(
      `<workbook xmlns:r="r"><sheets><sheet name="${name}" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    ),
    'xl/_rels/workbook.xml.rels': relations({
      rId1: ['worksheet', 'worksheets/sheet1.xml'],
      rId2: ['sharedStrings', 'sharedStrings.xml'],
      rId3: ['styles', '/xl/styles.xml'],
    }),
    'xl/worksheets/sheet1.xml': xml(`<worksheet><sheetData>${body}</sheetData></worksheet>`),
    'xl/sharedStrings.xml': xml(
      `<sst>${shared.map((text) => `<si><r><t>${text}</t></r><rPh><t>reading</t></rPh></si>`).join('')}</sst>`,
    ),
    'xl/styles.xml': xml(
      '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>',
    ),
  })
}

/** Lines of text on pages, in Helvetica.. */
export function writePdf(pages: readonly (readonly string[])[], isPacked = false): Buffer {
  const objects: Buffer[] = []
  const add = (body: string | Buffer): number => objects.push(Buffer.from(body as Buffer))
  const quote = (text: string): string => text.replace(/[\\()]/g, '\\$&')
  add('<< /Type /Catalog /Pages 2 0 R >>')
  add(`<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, i) => `${4 + 2 * i} 0 R`).join(' ')}] >>`)
  add('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>')
  for (const lines of pages) {
    const drawn = `BT /F1 11 Tf 14 TL 50 780 Td ${lines.map((line) => `(${quote(line)}) Tj T*`).join(' ')} ET`
    const content = isPacked ? deflate(drawn) : Buffer.from(drawn, 'latin1')
    const filter = isPacked ? ' /Filter /FlateDecode' : ''
    const number = objects.length + 2
    add(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${number} 0 R /Resources << /Font << /F1 3 0 R >> >> >>`,
    )
    add(
      Buffer.concat([
        Buffer.from(`<< /Length ${content.length}${filter} >>\nstream\n`),
        content,
        Buffer.from('\nendstream'),
      ]),
    )
  }
  return assemblePdf(objects)
}

export function assemblePdf(objects: readonly (string | Buffer)[]): Buffer {
  const parts = [Buffer.from('%PDF-1.7\n')]
  const places: number[] = []
  let place = 9
  for (const [i, body] of objects.entries()) {
    const part = Buffer.concat([
      Buffer.from(`${i + 1} 0 obj\n`),
      Buffer.from(body as Buffer),
      Buffer.from('\nendobj\n'),
    ])
    places.push(place)
    parts.push(part)
    place += part.length
  }
  const rows = places.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('')
  parts.push(
    Buffer.from(
      `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${place}\n%%EOF\n`,
    ),
  )
  return Buffer.concat(parts)
}

export function deflate(text: string): Buffer {
  const raw = deflateRawSync(Buffer.from(text, 'latin1'))
  // The header and the sum of zlib around it; readers of PDF do not mind the sum.
  return Buffer.concat([Buffer.from([0x78, 0x9c]), raw, Buffer.alloc(4)])
}
