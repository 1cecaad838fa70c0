import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Fault } from '../../core/fault.ts'
import { createFormParser, type FormPiece, readBoundary, writeFormField } from './form-parser.ts'

const boundary = 'b0undary'

type Part = { readonly head: string; readonly content: Uint8Array | string }

function writeForm(parts: readonly Part[], lead = '', trail = '\r\n'): Buffer {
  const pieces = parts.flatMap(({ head, content }) => [`--${boundary}\r\n${head}\r\n\r\n`, content, '\r\n'])
  return Buffer.concat([lead, ...pieces, `--${boundary}--${trail}`].map((piece) => Buffer.from(piece as string)))
}

const field = (name: string, content: string): Part => ({
  head: `Content-Disposition: form-data; name="${name}"`,
  content,
})
const file = (name: string, content: Uint8Array | string): Part => ({
  head: `Content-Disposition: form-data; name="${name}"; filename="a.wav"\r\nContent-Type: audio/wav`,
  content,
})

function read(chunks: readonly Uint8Array[]): FormPiece[] {
  const parser = createFormParser(boundary)
  const pieces = chunks.flatMap((chunk) => parser.feed(chunk))
  parser.end()
  return pieces
}

/** Pieces as a reader sees them: data joined. */
function summarise(pieces: readonly FormPiece[]): object[] {
  const seen: ({ field: string; value: string } | { file: string; hex: string })[] = []
  for (const piece of pieces) {
    if (piece.kind === 'field') seen.push({ field: piece.name, value: piece.value })
    if (piece.kind === 'file') seen.push({ file: piece.name, hex: '' })
    const last = seen.at(-1)
    if (piece.kind === 'data' && last && 'hex' in last) last.hex += Buffer.from(piece.bytes).toString('hex')
  }
  return seen
}

const join = (pieces: readonly FormPiece[]) => Buffer.concat(pieces.map(({ bytes }) => bytes))

function faultOf(run: () => unknown): Fault {
  try {
    run()
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('expected a Fault')
}

/** Everything that looks like a boundary and is none. */
const tricky = Buffer.from(`\r\n\r\n--\r\n--b0undar\r\n-\r\r\n--b0un\r\n--c\r\n${'\r\n--b0undar'.repeat(3)}\r`)

const parts = [field('model', 'whisper-1'), file('file', tricky), field('prompt', 'é\r\nü'), file('empty', '')]
const form = writeForm(parts)
const expected = [
  { field: 'model', value: 'whisper-1' },
  { file: 'file', hex: tricky.toString('hex') },
  { field: 'prompt', value: 'é\r\nü' },
  { file: 'empty', hex: '' },
]

describe('a form', () => {
  test('cut at every byte', () => {
    for (let cut = 0; cut <= form.length; cut++) {
      const pieces = read([form.subarray(0, cut), form.subarray(cut)])
      expect(summarise(pieces)).toEqual(expected)
      expect(join(pieces).toString('latin1')).toBe(`\r\n${form.toString('latin1')}`)
    }
  })

  test('byte by byte', () => {
    const pieces = read(Array.from(form, (byte) => Uint8Array.of(byte)))
    expect(summarise(pieces)).toEqual(expected)
  })

  test('of any content, cut anywhere, is again what it was', () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .array(fc.constantFrom('\r', '\n', '-', '--b0undar', '\r\n--', 'b'), { maxLength: 40 })
        .map((list) => Buffer.from(list.join(''))),
    )
    const safe = content.filter(
      (bytes) => !Buffer.from(`\r\n${Buffer.from(bytes).toString('latin1')}`).includes(`\r\n--${boundary}`),
    )
    fc.assert(
      fc.property(fc.array(safe, { maxLength: 5 }), fc.array(fc.nat(2000), { maxLength: 12 }), (contents, cuts) => {
        const bytes = writeForm(contents.map((each, index) => file(`f${index}`, each)))
        const edges = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
        const chunks = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge))
        const pieces = read(chunks)
        expect(summarise(pieces)).toEqual(
          contents.map((each, index) => ({ file: `f${index}`, hex: Buffer.from(each).toString('hex') })),
        )
        expect(join(pieces).toString('latin1')).toBe(`\r\n${bytes.toString('latin1')}`)
      }),
      { numRuns: 500 },
    )
  })

  test('holds next to nothing of a file', () => {
    const parser = createFormParser(boundary)
    const begin = writeForm([file('file', '')])
    parser.feed(begin.subarray(0, begin.indexOf('\r\n\r\n') + 4))
    for (let i = 0; i < 50; i++) {
      const chunk = Buffer.alloc(10_000, '\r\n--b0')
      const given = parser.feed(chunk).reduce((sum, { bytes }) => sum + bytes.length, 0)
      expect(Math.abs(chunk.length - given)).toBeLessThan(boundary.length + 4)
    }
  })

  test('a long field passes like a file, its first bytes included', () => {
    const long = 'x'.repeat(200_000)
    expect(summarise(read([writeForm([field('reference', long), field('n', '1')])]))).toEqual([
      { file: 'reference', hex: Buffer.from(long).toString('hex') },
      { field: 'n', value: '1' },
    ])
  })

  test('a preamble, an epilogue and blanks after a boundary are not part of it', () => {
    const padded = Buffer.from(
      form.toString('latin1').replaceAll(`--${boundary}\r\n`, `--${boundary} \t\r\n`),
      'latin1',
    )
    const whole = Buffer.concat([Buffer.from('preamble\r\n'), padded, Buffer.from('epilogue')])
    const pieces = read([whole])
    expect(summarise(pieces)).toEqual(expected)
    expect(join(pieces).toString('latin1')).toBe(`\r\n${form.toString('latin1')}`)
  })

  test.each([
    ['name without quotes', 'Content-Disposition: form-data; name=n'],
    ['header in another case', 'CONTENT-DISPOSITION: Form-Data; NAME="n"'],
    ['header after another', 'Content-Type: text/plain\r\nContent-Disposition: form-data; name="n"'],
    ['more blanks', 'Content-Disposition:  form-data ;  name="n" '],
  ])('%s', (_name, head) => {
    expect(summarise(read([writeForm([{ head, content: '1' }])]))).toEqual([{ field: 'n', value: '1' }])
  })

  test.each([
    ['a quote in it', 'filename="a\\"; name=\\"b.wav"'],
    ['other letters', 'filename="é; x.wav"'],
    ['the extended form', `filename="x.wav"; filename*=utf-8''x.wav`],
    ['nothing in it', 'filename=""'],
  ])('a file name with %s', (_name, filename) => {
    const head = `Content-Disposition: form-data; name="f"; ${filename}`
    const pieces = read([writeForm([{ head, content: 'x' }])])
    expect(summarise(pieces)).toEqual([{ file: 'f', hex: '78' }])
    expect(join(pieces).toString()).toContain(head)
  })

  test('a field written before it belongs to it', () => {
    const pieces = read([form])
    const whole = Buffer.concat([writeFormField(boundary, 'first', '1'), join(pieces)])
    expect(summarise(read([whole]))).toEqual([{ field: 'first', value: '1' }, ...expected])
  })
})

describe('refused', () => {
  test.each([
    ['a form that breaks off', form.subarray(0, form.length - 6)],
    ['nothing', Buffer.alloc(0)],
    ['another boundary', Buffer.from('--other\r\n\r\n--other--\r\n')],
    ['LF for CRLF', Buffer.from(form.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')],
    ['a boundary that goes on', Buffer.from(form.toString('latin1').replace(boundary, `${boundary}x`), 'latin1')],
    ['headers without end', Buffer.from(`--${boundary}\r\nContent-Disposition: ${'x'.repeat(20_000)}`)],
    ['blanks without end', Buffer.from(`--${boundary}${' '.repeat(1_000)}`)],
  ])('%s', (_name, bytes) => {
    const fault = faultOf(() => read([bytes]))
    expect(fault.code).toBe('invalid-request')
    expect(fault.message).toStartWith('The request body is not a multipart form: ')
  })

  test.each([
    ['no headers', ''],
    ['no disposition', 'Content-Type: text/plain'],
    ['two dispositions', 'Content-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="model"'],
    ['another disposition', 'Content-Disposition: attachment; name="a"'],
    ['no name', 'Content-Disposition: form-data; filename="a"'],
    ['two names', 'Content-Disposition: form-data; name="a"; name="model"'],
    ['a name in the extended form', "Content-Disposition: form-data; name*=utf-8''model"],
    ['a name with a backslash', 'Content-Disposition: form-data; name="mod\\el"'],
    ['a name that does not end', 'Content-Disposition: form-data; name="a'],
    ['a folded header', 'Content-Disposition: form-data;\r\n name="model"'],
    [
      'a line feed in a header',
      'Content-Disposition: form-data; name="a"\nContent-Disposition: form-data; name="model"',
    ],
  ])('a part with %s', (_name, head) => {
    expect(faultOf(() => read([writeForm([{ head, content: '1' }])])).code).toBe('invalid-request')
  })
})

describe('the boundary', () => {
  test.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['multipart/form-data;boundary="a b:c"', 'a b:c'],
    ['Multipart/Form-Data; charset=utf-8; Boundary=abc; x=y', 'abc'],
    ['multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW', '----WebKitFormBoundary7MA4YWxkTrZu0gW'],
  ])('of %s', (contentType, name) => {
    expect(readBoundary(contentType)).toBe(name)
  })

  test.each([
    'multipart/form-data',
    'multipart/form-data; boundary=',
    `multipart/form-data; boundary="${'x'.repeat(71)}"`,
  ])('missing in %s', (contentType) => {
    expect(faultOf(() => readBoundary(contentType)).code).toBe('invalid-request')
  })
})

describe('the name of a file is what the client meant', () => {
  test.each([
    ['filename="a b.txt"', 'a b.txt'],
    ['filename=a.txt', 'a.txt'],
    ['filename=""', ''],
    ['filename="é 東.txt"', 'é 東.txt'],
    ['filename="a\\"b\\\\c.txt"', 'a"b\\c.txt'],
    ['filename="a%22b%0Ac%20d.txt"', 'a"b\nc%20d.txt'],
    ['filename="C:\\x.txt"', 'C:\\x.txt'],
    ["filename*=utf-8''%e2%82%ac%20x.txt", '€ x.txt'],
    [`filename="fallback.txt"; filename*=UTF-8'en'%e2%82%ac.txt`, '€.txt'],
    [`filename="fallback.txt"; filename*=utf-8''%ff`, 'fallback.txt'],
    [`filename="fallback.txt"; filename*=latin1''a`, 'fallback.txt'],
  ])('%s', (parameter, expected) => {
    const text = `--b\r\nContent-Disposition: form-data; name="f"; ${parameter}\r\n\r\nx\r\n--b--\r\n`
    const [head] = createFormParser('b').feed(Buffer.from(text))
    expect(head).toMatchObject({ kind: 'file', name: 'f', filename: expected })
  })
})
