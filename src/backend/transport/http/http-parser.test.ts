import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Fault } from '../../../core/fault.ts'
import { ResponseParser } from './http-parser.ts'

type Outcome = {
  status?: number
  headers?: Record<string, string>
  body: string
  isEnded: boolean
  isReusable: boolean
  fault?: string
}

/** Feeds the parts, then closes the connection when told to. */
function parse(parts: readonly Buffer[], isClosed = false): Outcome {
  const outcome: Outcome = { body: '', isEnded: false, isReusable: false }
  const body: Buffer[] = []
  const parser = new ResponseParser('http://peer', {
    takeHead: (status, headers) => Object.assign(outcome, { status, headers: { ...headers } }),
    takeBody: (part) => body.push(Buffer.from(part)),
    takeEnd: () => {
      outcome.isEnded = true
    },
  })
  try {
    for (const part of parts) parser.feed(part)
    if (isClosed) parser.end()
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'upstream-failed') throw error
    outcome.fault = error.message
  }
  outcome.body = Buffer.concat(body).toString('latin1')
  outcome.isReusable = parser.isReusable
  return outcome
}

const parseText = (text: string, isClosed = false) => parse([Buffer.from(text, 'latin1')], isClosed)

function splitAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  return [...places, bytes.length].map((place, index) => bytes.subarray(places[index - 1] ?? 0, place))
}

const fixed = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello'
const chunked =
  'HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\nx-a: 1\r\nX-A:\t2 \r\n\r\n' +
  '5;name="v"\r\nhello\r\n00a\r\n, world...\r\n0 ;last\r\nx-sum: 1\r\n\r\n'
const interim = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${fixed}`

describe('what is read', () => {
  test('a body of known length', () => {
    expect(parseText(fixed)).toEqual({
      status: 200,
      headers: { 'content-type': 'text/plain', 'content-length': '5' },
      body: 'hello',
      isEnded: true,
      isReusable: true,
    })
  })

  test('chunks with extensions and trailers; repeated headers are joined', () => {
    expect(parseText(chunked)).toEqual({
      status: 200,
      headers: { 'transfer-encoding': 'Chunked', 'x-a': '1, 2' },
      body: 'hello, world...',
      isEnded: true,
      isReusable: true,
    })
  })

  test('interim answers are skipped', () => {
    expect(parseText(interim)).toEqual(parseText(fixed))
  })

  test('a body that lasts until the connection closes', () => {
    const text = 'HTTP/1.1 200 OK\r\n\r\nall there is'
    expect(parseText(text)).toMatchObject({ body: 'all there is', isEnded: false })
    expect(parseText(text, true)).toMatchObject({ body: 'all there is', isEnded: true, isReusable: false })
  })

  test.each([204, 304])('status %d has no body, whatever its headers say', (status) => {
    const outcome = parseText(`HTTP/1.1 ${status} x\r\ncontent-length: 9\r\n\r\n`)
    expect(outcome).toMatchObject({ status, body: '', isEnded: true, isReusable: true })
  })

  test('a status line without a reason, an empty header, bytes above ASCII', () => {
    const outcome = parseText('HTTP/1.1 429\r\nx-empty:\r\nx-name: J\xf6rg\r\ncontent-length: 0\r\n\r\n')
    expect(outcome).toMatchObject({ status: 429, headers: { 'x-empty': '', 'x-name': 'J\xf6rg' }, isEnded: true })
  })

  test('header names that are names of Object.prototype are plain entries', () => {
    const { headers } = parseText('HTTP/1.1 200 OK\r\n__proto__: a\r\nconstructor: b\r\ncontent-length: 0\r\n\r\n')
    expect(Object.entries(headers ?? {})).toContainEqual(['constructor', 'b'])
    expect(headers?.toString).toBeFunction()
  })

  test('the same Content-Length twice is one', () => {
    expect(parseText('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok')).toMatchObject({
      body: 'ok',
    })
  })

  test.each([
    ['HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n', false],
    ['HTTP/1.1 200 OK\r\nconnection: x, Close\r\ncontent-length: 0\r\n\r\n', false],
    ['HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n', false],
    ['HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 0\r\n\r\n', true],
    [`${fixed}x`, false],
    [`${fixed}${fixed}`, false],
  ])('whether the connection can be used again: %j', (text, isReusable) => {
    expect(parseText(text)).toMatchObject({ isEnded: true, isReusable })
  })

  test('one parser reads answer after answer', () => {
    const bodies: string[] = []
    const parser = new ResponseParser('http://peer', {
      takeHead: () => {},
      takeBody: (part) => bodies.push(Buffer.from(part).toString()),
      takeEnd: () => {},
    })
    for (const text of [fixed, chunked, fixed]) {
      parser.reset()
      expect(parser.hasStatus).toBeFalse()
      parser.feed(Buffer.from(text))
      expect(parser.isReusable).toBeTrue()
    }
    expect(bodies.join('|')).toBe('hello|hello|, world...|hello')
  })
})

describe('what is refused', () => {
  const head = (fields: string) => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`
  test.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', 'first line'],
    ['HTTP/2', 'HTTP/2 200 OK\r\n', 'first line'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n', 'first line'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n', 'first line'],
    ['status 600', 'HTTP/1.1 600 OK\r\n', 'first line'],
    ['NUL in the reason', 'HTTP/1.1 200 O\0K\r\n', 'first line'],
    ['a change of protocol', 'HTTP/1.1 101 Switching Protocols\r\n', '101'],
    ['a bare LF after the status line', 'HTTP/1.1 200 OK\ncontent-length: 0\r\n\r\n', 'LF without CR'],
    ['a bare LF in the headers', 'HTTP/1.1 200 OK\r\na: b\nc: d\r\n\r\n', 'LF without CR'],
    ['a bare LF at the end of the head', 'HTTP/1.1 200 OK\r\na: b\r\n\n', 'LF without CR'],
    ['a bare CR in a value', head('a: b\rc: d'), 'control character'],
    ['NUL in a value', head('a: b\0c'), 'control character'],
    ['NUL in a name', head('a\0: b'), 'name'],
    ['a folded header', head('a: b\r\n c'), 'name'],
    ['a space before the colon', head('a : b'), 'name'],
    ['a header without a colon', head('abc'), 'name'],
    ['a header without a name', head(': b'), 'name'],
    ['both framings', head('content-length: 5\r\ntransfer-encoding: chunked'), 'both'],
    ['both framings, the other way round', head('transfer-encoding: chunked\r\ncontent-length: 5'), 'both'],
    ['lengths that differ', head('content-length: 5\r\ncontent-length: 6'), 'differ'],
    ['a list of lengths', head('content-length: 5, 5'), 'no number'],
    ['a signed length', head('content-length: +5'), 'no number'],
    ['an empty length', head('content-length: '), 'no number'],
    ['a hexadecimal length', head('content-length: 0x5'), 'no number'],
    ['an endless length', head('content-length: 9999999999999999'), 'no number'],
    ['another transfer coding', head('transfer-encoding: gzip, chunked'), 'chunked'],
    ['chunked twice', head('transfer-encoding: chunked\r\ntransfer-encoding: chunked'), 'chunked'],
    ['chunked in HTTP/1.0', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', 'chunked'],
    ['an empty chunk size', `${head('transfer-encoding: chunked')}\r\n`, 'chunk size'],
    ['a chunk size that is no number', `${head('transfer-encoding: chunked')}xyz\r\n`, 'chunk size'],
    ['a signed chunk size', `${head('transfer-encoding: chunked')}-5\r\n`, 'chunk size'],
    ['a chunk size with 0x', `${head('transfer-encoding: chunked')}0x5\r\n`, 'chunk size'],
    ['a blank after the chunk size', `${head('transfer-encoding: chunked')}5 \r\n`, 'chunk size'],
    ['a control character in an extension', `${head('transfer-encoding: chunked')}5;\0\r\n`, 'chunk size'],
    ['a huge chunk', `${head('transfer-encoding: chunked')}40000001\r\n`, 'larger'],
    ['a chunk size of many zeros', `${head('transfer-encoding: chunked')}${'0'.repeat(17)}\r\n`, 'chunk size'],
    ['a bare LF after a chunk size', `${head('transfer-encoding: chunked')}5\nhello`, 'LF without CR'],
    ['a chunk that is too long', `${head('transfer-encoding: chunked')}5\r\nhello!\r\n`, 'longer than its size'],
    ['a bare LF after a chunk', `${head('transfer-encoding: chunked')}5\r\nhello\n0\r\n\r\n`, 'LF without CR'],
    ['a malformed trailer', `${head('transfer-encoding: chunked')}0\r\nbad trailer\r\n\r\n`, 'name'],
    ['a line that does not end', `HTTP/1.1 200 OK\r\na: ${'b'.repeat(16_384)}`, 'longer than 16384'],
    ['too many headers', head('a: b\r\n'.repeat(201).trimEnd()), 'more than 200'],
    ['headers that are too long', head(`${`a: ${'b'.repeat(8000)}\r\n`.repeat(9).trimEnd()}`), 'longer than 65536'],
    [
      'trailers that are too long',
      `${head('transfer-encoding: chunked')}0\r\n${`a: ${'b'.repeat(8000)}\r\n`.repeat(9)}`,
      '65536',
    ],
    ['endless interim answers', `HTTP/1.1 103 x\r\na: ${'b'.repeat(1000)}\r\n\r\n`.repeat(70), '65536'],
  ])('%s', (_name, text, message) => {
    const outcome = parseText(text)
    expect(outcome.fault).toContain(message)
    expect(outcome.fault).toContain('http://peer')
    expect(outcome.isEnded).toBeFalse()
    expect(
      parse(
        splitAt(
          Buffer.from(text, 'latin1'),
          Array.from(text, (_, at) => at),
        ),
      ),
    ).toEqual(outcome)
  })

  test.each([
    ['', 'without an answer'],
    ['HTTP/1.', 'in the middle'],
    ['HTTP/1.1 200 OK\r\ncontent-le', 'in the middle'],
    [fixed.slice(0, -1), 'in the middle'],
    [chunked.slice(0, -1), 'in the middle'],
    [chunked.slice(0, -30), 'in the middle'],
  ])('a connection that closes after %j', (text, message) => {
    expect(parseText(text, true).fault).toContain(message)
  })
})

describe('chunking does not matter', () => {
  test.each([fixed, chunked, interim])('split at every byte: %j', (text) => {
    const bytes = Buffer.from(text)
    for (let cut = 0; cut <= bytes.length; cut++) expect(parse(splitAt(bytes, [cut]))).toEqual(parse([bytes]))
    expect(parse(splitAt(bytes, Array.from(bytes.keys())))).toEqual(parse([bytes]))
  })

  const name = fc.stringMatching(/^x-[a-z0-9]{1,12}$/)
  const value = fc.stringMatching(/^[!-~]([ -~]{0,40}[!-~])?$/)
  const fields = fc.array(fc.tuple(name, value), { maxLength: 6 })
  const parts = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 6 })
  const cuts = fc.array(fc.nat(2000), { maxLength: 40 })

  const writeFields = (list: [string, string][]) => list.map(([key, text]) => `${key}: ${text}\r\n`).join('')
  const writeChunked = (
    list: [string, string][],
    body: Uint8Array[],
    extension: string,
    trailers: [string, string][],
  ) =>
    Buffer.concat([
      Buffer.from(`HTTP/1.1 200 OK\r\n${writeFields(list)}transfer-encoding: chunked\r\n\r\n`),
      ...body.flatMap((part) => [
        Buffer.from(`${part.length.toString(16)}${extension}\r\n`),
        part,
        Buffer.from('\r\n'),
      ]),
      Buffer.from(`0\r\n${writeFields(trailers)}\r\n`),
    ])

  test('any answer reads the same in any pieces, and gives its body back', () => {
    fc.assert(
      fc.property(
        fields,
        parts,
        fc.constantFrom('', ';a', ' ;a="b c"'),
        fields,
        cuts,
        (list, body, extension, trailers, places) => {
          const bytes = writeChunked(list, body, extension, trailers)
          const whole = parse([bytes])
          expect(whole.fault).toBeUndefined()
          expect(whole).toMatchObject({ isEnded: true, isReusable: true, body: Buffer.concat(body).toString('latin1') })
          expect(parse(splitAt(bytes, places))).toEqual(whole)
        },
      ),
    )
  })

  test('damaged answers are judged the same in any pieces', () => {
    const damage = fc.array(fc.tuple(fc.nat(2000), fc.constantFrom(0, 9, 10, 13, 32, 48, 58, 59, 70, 255)), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(fields, parts, damage, cuts, (list, body, damages, places) => {
        const bytes = writeChunked(list, body, '', [])
        for (const [place, code] of damages) bytes[place % bytes.length] = code
        expect(parse(splitAt(bytes, places), true)).toEqual(parse([bytes], true))
      }),
      { numRuns: 500 },
    )
  })
})
