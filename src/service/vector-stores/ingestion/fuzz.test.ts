import { expect, test } from 'bun:test'
import {
  asFile,
  assemblePdf,
  deflate,
  writeDocx,
  writePdf,
  writePptx,
  writeXlsx,
  writeZip,
} from './documents.fixture.ts'
import { openExtractor } from './open-extractor.ts'
import { type Extractor, IngestionError, type SourceFile } from './port.ts'

/** Documents at random and sound ones spoiled: always a text or one of three errors, and never more than the limits. The seed is fixed. */

const limits = {
  characters: 200_000,
  tokens: 50_000,
  wallMs: 10_000,
  memoryBytes: 400 * 2 ** 20,
  unpackedBytes: 4 * 2 ** 20,
  archiveEntries: 100,
  pages: 50,
}
const chunking = { maxTokens: 100, overlapTokens: 50 }
const codes = ['unsupported_file', 'invalid_file', 'server_error']

type Dice = (below: number) => number

/** mulberry32 */
function rollFrom(seed: number): Dice {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

const words = 'The quick brown fox – über 漢字 & <b>so</b> on. '
const sound: readonly (readonly [string, Uint8Array])[] = [
  ['a.txt', Buffer.from(words.repeat(20))],
  ['a.txt', Buffer.from(`\ufeff${words}`.repeat(9), 'utf16le')],
  ['a.html', Buffer.from(`<!doctype html><table><tr><td>${words}<ul><li>x<pre> y </pre></table>`.repeat(9))],
  ['a.json', Buffer.from(JSON.stringify({ a: [1, { b: words }] }))],
  ['a.csv', Buffer.from('a,b\n1,"x, y"\n'.repeat(20))],
  ['a.docx', writeDocx(['One', 'Two', 'Three'], '<w:tbl><w:tr><w:tc><w:p/></w:tc></w:tr></w:tbl>')],
  ['a.pptx', writePptx(['One', 'Two', 'Three'])],
  ['a.xlsx', writeXlsx('Sheet', [['a', 1, new Date(0)], ['b']])],
  ['a.pdf', writePdf([['One', 'two'], ['three']])],
  ['a.pdf', writePdf([['One', 'two'], ['three']], true)],
]
const parts = ['word/document.xml', 'ppt/presentation.xml', 'xl/workbook.xml', 'xl/worksheets/sheet1.xml']
const pieces =
  '<w:p> </w:p> <w:t> </w:t> <t> <c s="9999"> <v>1e999</v> </c> <row> <sheet r:id="rId1"/> <!DOCTYPE a> <!-- --> &#xD800; &#x110000; &a; <![CDATA[ ]]> <?xml ?> < > " \ufffe <rPh> </rPh> <tc> </tc> <fld>'.split(
    ' ',
  )
const tokens =
  '<< >> [ ] ( ) obj endobj stream endstream 1 2 3 4 5 0 R /Type /Page /Pages /Kids /Count -1 999999999 /Filter /FlateDecode /LZWDecode /Parent /Contents BT ET Tj Do /F1'.split(
    ' ',
  )

function pick<T>(roll: Dice, list: readonly T[]): T {
  return list[roll(list.length)] as T
}

function spoil(roll: Dice, bytes: Uint8Array): Buffer {
  let spoiled = Buffer.from(bytes)
  for (let i = roll(8); i >= 0; i--) {
    const place = roll(spoiled.length + 1)
    const rest = spoiled.subarray(place)
    const length = roll(40)
    const kind = roll(5)
    if (kind === 0) spoiled = Buffer.from(spoiled.subarray(0, place))
    else if (kind === 1) spoiled = Buffer.concat([spoiled.subarray(0, place), rest.subarray(length)])
    else if (kind === 2) spoiled = Buffer.concat([spoiled.subarray(0, place), rest.subarray(0, length), rest])
    else for (let n = 0; n <= length && spoiled.length > 0; n++) spoiled[roll(spoiled.length)] = roll(256)
  }
  return spoiled
}

function invent(roll: Dice): readonly [string, Uint8Array] {
  const many = <T>(list: readonly T[]): string => Array.from({ length: roll(300) }, () => pick(roll, list)).join(' ')
  switch (roll(5)) {
    case 0:
      return [
        `a.${pick(roll, ['txt', 'pdf', 'docx', 'bin'])}`,
        Buffer.from(Array.from({ length: roll(500) }, () => roll(256))),
      ]
    case 1:
      return [
        'a.html',
        Buffer.from(many(['<p>', '</p>', '<td', '<script>', '</', '&amp', '<!--', '<pre>', 'text', '<svg>', '\0'])),
      ]
    case 2:
      return ['a.docx', writeZip(Object.fromEntries(parts.map((part) => [part, many(pieces)])))]
    case 3:
      return ['a.pdf', assemblePdf(Array.from({ length: roll(8) + 1 }, () => many(tokens)))]
    default: {
      const [name, bytes] = pick(roll, sound)
      return [name, spoil(roll, bytes)]
    }
  }
}

/** The text's length, or the code of what is said instead. */
async function read(extractor: Extractor, file: SourceFile): Promise<number | string> {
  try {
    const { chunks, characters, tokens } = await extractor.extractChunks(file, chunking, AbortSignal.timeout(60_000))
    expect(characters).toBeLessThanOrEqual(limits.characters)
    expect(tokens).toBeLessThanOrEqual(limits.tokens)
    for (const { text, tokens } of chunks) {
      expect(tokens).toBeLessThanOrEqual(chunking.maxTokens)
      expect(text.isWellFormed()).toBe(true)
    }
    expect(chunks.map(({ text, repeated }) => text.slice(repeated)).join('')).toHaveLength(characters)
    return characters
  } catch (error) {
    if (!(error instanceof IngestionError)) throw error
    expect(codes).toContain(error.code)
    expect(error.message).toMatch(/^[A-Z][^\n]{10,300}\.$/s)
    return error.code
  }
}

test('documents at random', async () => {
  const extractor = openExtractor({ limits })
  const roll = rollFrom(9)
  const documents = Array.from({ length: 600 }, () => invent(roll))
  const outcomes = await Promise.all(documents.map(([name, bytes]) => read(extractor, asFile(name, bytes))))
  // Both ends are reached, and nothing that is merely spoiled brings a process down.
  expect(outcomes.filter((outcome) => typeof outcome === 'number').length).toBeGreaterThan(outcomes.length / 10)
  expect(outcomes.filter((outcome) => outcome === 'invalid_file').length).toBeGreaterThan(outcomes.length / 10)
  expect(outcomes.filter((outcome) => outcome === 'server_error')).toEqual([])
  await extractor.close()
}, 120_000)

const packed = (bytes: number): string => deflate(' '.repeat(bytes)).toString('latin1')

test.each([
  ['a page of elements in elements', 'a.html', '<b>'.repeat(300_000)],
  ['a page of closed elements that were never opened', 'a.html', '</p>'.repeat(300_000)],
  ['a page of attributes', 'a.html', `<a ${'x=y '.repeat(300_000)}>`],
  ['JSON in JSON', 'a.json', '[{"a":'.repeat(100_000)],
  ['one word', 'a.txt', 'x'.repeat(190_000)],
  ['a zip file in a zip file', 'a.docx', writeZip({ 'word/document.xml': writeZip({ a: ' '.repeat(3_000_000) }) })],
  ['a row of shared texts', 'a.xlsx', writeXlsx('S', [Array.from({ length: 900 }, () => 'x'.repeat(900))])],
  [
    'a PDF whose page packs a lot',
    'a.pdf',
    assemblePdf([
      '<< /Type /Catalog /Pages 2 0 R >>',
      '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
      '<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>',
      Buffer.from(`<< /Filter /FlateDecode >>\nstream\n${packed(400_000_000)}\nendstream`, 'latin1'),
    ]),
  ],
  [
    'a PDF whose pages are each other',
    'a.pdf',
    assemblePdf(['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Count 9999999 /Kids [2 0 R 2 0 R] >>']),
  ],
  [
    'a PDF that draws itself',
    'a.pdf',
    assemblePdf([
      '<< /Type /Catalog /Pages 2 0 R >>',
      '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
      '<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >> >>',
      '<< /Length 5 >>\nstream\n/X Do\nendstream',
      '<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 5 0 R >> >> /Length 11 >>\nstream\n/X Do /X Do\nendstream',
    ]),
  ],
])(
  '%s, and one document after it',
  async (_, name, content) => {
    const extractor = openExtractor({ limits, processes: 1 })
    await read(extractor, asFile(name, content))
    expect(await read(extractor, asFile('a.txt', 'after'))).toBe(5)
    await extractor.close()
  },
  60_000,
)
