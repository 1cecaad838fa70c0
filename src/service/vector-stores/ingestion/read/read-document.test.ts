import { expect, test } from 'bun:test'
import { writeDocx, writePdf, writePptx, writeXlsx, writeZip } from '../documents.fixture.ts'
import { defaultLimits, type Extracted, type IngestionLimits } from '../port.ts'
import { readDocument } from './read-document.ts'

const read = (name: string, content: string | Uint8Array, limits: Partial<IngestionLimits> = {}): Promise<Extracted> =>
  readDocument(new Uint8Array(Buffer.from(content as Uint8Array)), name, { ...defaultLimits, ...limits })
const textOf = async (name: string, content: string | Uint8Array): Promise<string> => (await read(name, content)).text

test.each([
  ['a.txt', 'txt'],
  ['A.MD', 'md'],
  ['a.json', 'json'],
  ['a.tsv', 'csv'],
  ['a.py', 'code'],
  ['Makefile', 'txt'],
  ['a.unheard-of', 'txt'],
] as const)('%s is %s, as it stands there', async (name, kind) => {
  const words = 'and so on '.repeat(30)
  expect(await read(name, `one\r\n\ttwo  \r\rthree\0\x07\n${words}`)).toEqual({
    kind,
    text: `one\n\ttwo  \n\nthree\n${words}`,
    breaks: [],
  })
})

test.each([
  ['UTF-8 with a mark', Buffer.from('\ufeffGrüße 漢字')],
  ['UTF-16 with a mark', Buffer.from('\ufeffGrüße 漢字', 'utf16le')],
  ['UTF-16, the large end first', Buffer.from('\ufeffGrüße 漢字', 'utf16le').swap16()],
])('%s is read', async (_, bytes) => {
  expect(await textOf('a.txt', bytes)).toBe('Grüße 漢字')
})

test('UTF-16 without a mark, Windows-1252, and UTF-8 with a broken character', async () => {
  expect(await textOf('a.txt', Buffer.from('Grüße aus Köln', 'utf16le'))).toBe('Grüße aus Köln')
  expect(await textOf('a.txt', Buffer.from([0x47, 0x72, 0xfc, 0xdf, 0x65, 0x20, 0x80]))).toBe('Grüße €')
  const sound = 'Grüße, überall schöne Äpfel, größer und röter. '.repeat(2)
  expect(await textOf('a.txt', Buffer.concat([Buffer.from(sound), Buffer.from([0xc3])]))).toBe(`${sound}\ufffd`)
})

test('a page is read as it is seen', async () => {
  const page = `<!DOCTYPE html><html><head><title>The  title</title><style>p{color:red}</style><script>if (a</p>b) alert()</script></head>
    <body><h1>Head&shy;ing</h1><p>One &amp; <b>two</b>,
    three.<br>New line</p><ul><li>first<li>second</ul><table><tr><td>a</td><td>b</td></tr><tr><td>c<td>d</table>
    <pre>  keep\n    this</pre><img alt="a cat"><!-- not this --></body></html>`
  expect(await read('a.html', page)).toEqual({
    kind: 'html',
    text: 'The title\n\nHeading\n\nOne & two, three.\nNew line\n\n- first\n- second\n\na\tb\nc\td\n\n  keep\n    this\n\na cat ',
    breaks: [11],
  })
  expect((await read('page', page)).kind).toBe('html')
  expect((await read('page.txt', page)).kind).toBe('txt')
})

test('a Word document: paragraphs, tables, notes; nothing twice, nothing deleted', async () => {
  const more = `<w:del><w:r><w:delText>gone</w:delText></w:r></w:del>
    <w:p><w:r><w:t>Over</w:t></w:r><w:r><w:t>line</w:t><w:tab/><w:t>tab</w:t><w:br/><w:t>next</w:t></w:r>
    <mc:AlternateContent><mc:Choice><w:t> box</w:t></mc:Choice><mc:Fallback><w:t> box</w:t></mc:Fallback></mc:AlternateContent></w:p>
    <w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>`
  const file = writeDocx(['First &amp; foremost', 'Second'], more)
  expect(await read('a.docx', file)).toEqual({
    kind: 'docx',
    text: 'First & foremost\n\nSecond\n\nOverline\ttab\nnext box\n\na\tb\n\nA note at the foot.\n\n',
    breaks: [54],
  })
  expect((await read('whatever.txt', file)).kind).toBe('docx')
})

test('a presentation: slides in their order, with tables and notes', async () => {
  const { kind, text, breaks } = await read('a.pptx', writePptx(['One', 'Two', 'Three']))
  expect(kind).toBe('pptx')
  expect(text).toMatch(/^One\n\nleft\tright\n\nSay: One\n\nTwo\n\nleft\tright\n\nSay: Two\n\nThree/)
  expect(breaks.map((place) => text.slice(place, place + 3))).toEqual(['Two', 'Thr'])
})

test('a workbook: rows of cells, dates as dates', async () => {
  const rows = [
    ['Name', 'Day', 'Amount'],
    ['Ann', new Date('2026-11-24'), 12.5],
    ['Bob', new Date('2026-11-24T19:40:00Z'), -3],
  ]
  expect(await read('a.xlsx', writeXlsx('Sales', rows))).toEqual({
    kind: 'xlsx',
    text: 'Sales\nName\tDay\tAmount\nAnn\t2026-11-24\t12.5\nBob\t2026-11-24 19:40\t-3\n',
    breaks: [],
  })
})

test.each([false, true])('a PDF, page by page; packed: %p', async (isPacked) => {
  const file = writePdf([['Hello (you)', 'second line'], ['Page two']], isPacked)
  const { kind, text, breaks } = await read('a.pdf', file)
  expect({ kind, text: text.trimEnd(), breaks }).toEqual({
    kind: 'pdf',
    text: 'Hello (you)\nsecond line\n\nPage two',
    breaks: [25],
  })
  expect((await read('a.txt', file)).kind).toBe('pdf')
})

test.each([
  ['unsupported_file', 'a.png', Buffer.from('\x89PNG\r\n', 'latin1')],
  ['unsupported_file', 'a.txt', Buffer.from('\xff\xd8\xff\xe0', 'latin1')],
  ['unsupported_file', 'a.doc', Buffer.from('\xd0\xcf\x11\xe0\xa1\xb1', 'latin1')],
  ['unsupported_file', 'a.zip', writeZip({ 'a.txt': 'text' })],
  ['unsupported_file', 'a.rtf', '{\\rtf1 text}'],
  ['unsupported_file', 'a.bin', Buffer.from([1, 0, 2, 0, 0, 3, 0, 0])],
  ['invalid_file', 'a.py', Buffer.from([1, 0, 2, 0, 0, 3, 0, 0])],
  ['invalid_file', 'a.docx', 'not a zip file'],
  ['invalid_file', 'a.pdf', 'not a PDF'],
  ['invalid_file', 'a.pdf', '%PDF-1.7 but nothing else'],
  ['invalid_file', 'a.docx', writeDocx(['x']).subarray(0, 300)],
  ['invalid_file', 'a.txt', ' \n\t\n '],
  ['invalid_file', 'a.pdf', writePdf([[]])],
] as const)('%s: %s', async (code, name, content) => {
  const reading = read(name, content)
  expect(reading).rejects.toMatchObject({
    name: 'IngestionError',
    code,
    message: expect.stringMatching(/^[A-Z].{10,}\.$/),
  })
})

const bomb = (part: string): Buffer => writeZip({ 'word/document.xml': part })
const laughs = `<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]><d><t>&b;&c;</t></d>`

test.each([
  ['a part that unpacks to much', bomb(' '.repeat(3_000_000)), /too large/],
  [
    'a part that is not packed, and large',
    writeZip({ 'stored:word/document.xml': 'x'.repeat(3_000_000) }),
    /too large/,
  ],
  ['many parts', writeZip(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`p${i}`, '']))), /300 parts/],
  ['entities', bomb(laughs), /document type/],
  ['elements in elements', bomb('<a>'.repeat(100_000)), /nested/],
  ['a long text', bomb(`<t>${'long '.repeat(5_000)}</t>`), /too long/],
])('%s: an end before it is too much', async (_, file, message) => {
  const limits = { unpackedBytes: 2_000_000, archiveEntries: 200, characters: 20_000 }
  expect(read('a.docx', file, limits)).rejects.toMatchObject({
    code: 'invalid_file',
    message: expect.stringMatching(message),
  })
})

test('a part of a zip file that lies about its size is not believed', async () => {
  const file = bomb(`<t>${'a'.repeat(3_000_000)}</t>`)
  for (const place of [file.indexOf('PK\x01\x02') + 24, 22]) file.writeUInt32LE(10, place)
  expect(read('a.docx', file, { unpackedBytes: 2_000_000 })).rejects.toMatchObject({
    message: expect.stringMatching(/too large/),
  })
})

test('a page of elements in elements, and one that never ends them', async () => {
  expect(read('a.html', '<div>'.repeat(100_000))).rejects.toMatchObject({ code: 'invalid_file' })
  expect(await textOf('a.html', `${'<font>'.repeat(3_000)}text`)).toBe('text')
})

test('JSON nested without end is text like any other', async () => {
  expect(await textOf('a.json', '['.repeat(200_000))).toHaveLength(200_000)
})

test('pages beyond the limit', async () => {
  expect(read('a.pdf', writePdf([['1'], ['2'], ['3']]), { pages: 2 })).rejects.toMatchObject({
    message: expect.stringMatching(/3 pages/),
  })
})
