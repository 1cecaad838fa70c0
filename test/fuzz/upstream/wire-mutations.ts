import { deflateSync, gzipSync } from 'node:zlib'
import { mutateBytes } from '../json-text.ts'
import type { Random } from '../random.ts'
import { type AnswerDraft, type AnswerMutation, type UpstreamScript, upstreamSecret, writeEvent } from './draft.ts'

/** How the upstream says it: status lines, headers, lengths, chunks, time, and what is no HTTP. */

const header =
  (...all: readonly (readonly [string, string])[]) =>
  (draft: AnswerDraft, random: Random): void => {
    const [name, value] = random.pick(all)
    draft.headers.push([name, value])
  }
const replaceHeader =
  (name: string, ...values: readonly string[]) =>
  (draft: AnswerDraft, random: Random): void => {
    draft.headers = [...draft.headers.filter(([other]) => other !== name), [name, random.pick(values)]]
  }
const editChunks =
  (edit: (framed: string, random: Random) => string) =>
  (draft: AnswerDraft, random: Random): void => {
    draft.framing = 'chunked'
    draft.chunkEdits.push((framed) => Buffer.from(edit(framed.toString('latin1'), random), 'latin1'))
  }
const ending =
  (kind: UpstreamScript['ending']) =>
  (draft: AnswerDraft, random: Random): void => {
    draft.ending = kind
    draft.wireEdits.push((wire) => wire.subarray(0, random.chance(0.2) ? 0 : random.int(0, wire.length)))
  }

export const wireMutations: readonly AnswerMutation[] = [
  {
    name: 'status line',
    apply: (draft, random) => {
      draft.statusLine = random.pick([
        'HTTP/1.0 200 OK',
        'HTTP/2 200',
        'HTTP/1.1 200',
        'HTTP/1.1 99 Low',
        'HTTP/1.1 999 High',
        'HTTP/1.1 2000 OK',
        'HTTP/1.1 abc OK',
        'HTTP/1.1 204 No Content',
        'HTTP/1.1 304 Not Modified',
        'HTTP/1.1 101 Switching Protocols',
        'HTTP/1.1 201 Created',
        'HTTP/1.1 206 Partial',
        'HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/',
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK',
        `${'HTTP/1.1 103 Early\r\n\r\n'.repeat(50)}HTTP/1.1 200 OK`,
        `HTTP/1.1 200 ${'x'.repeat(100_000)}`,
        'ICY 200 OK',
        '',
        '\0\0\0\0',
        `HTTP/1.1 500 ${upstreamSecret}`,
      ])
    },
  },
  { name: 'answer is no HTTP', apply: (draft) => draft.wireEdits.push(() => Buffer.from('SSH-2.0-x\r\n')) },
  {
    name: 'LF only',
    apply: (draft) => draft.wireEdits.push((wire) => editHead(wire, (head) => head.replaceAll('\r', ''))),
  },
  {
    name: 'odd header',
    apply: header(
      ['no colon\r\nx', 'y'],
      ['x nul', '\0'],
      ['x-fold', 'a\r\n b'],
      ['', 'no name'],
      ['x-large', 'z'.repeat(70_000)],
      ['content-length', '5'],
      ['content-length', '-1'],
      ['content-length', '1e3'],
      ['content-length', '99999999999999999999'],
      ['transfer-encoding', 'chunked'],
      ['transfer-encoding', 'gzip, chunked'],
      ['transfer-encoding', 'identity'],
      ['connection', 'close'],
      ['connection', 'upgrade'],
      ['upgrade', 'h2c'],
      ['set-cookie', `a=${upstreamSecret}`],
      ['x-echo', upstreamSecret],
      ['trailer', 'x'],
      ['x-latin', '\xff\xfe'],
    ),
  },
  {
    name: 'many headers',
    apply: (draft) => draft.headers.push(...Array.from({ length: 500 }, (_, i): [string, string] => [`x-${i}`, 'y'])),
  },
  {
    name: 'content type',
    apply: replaceHeader(
      'content-type',
      'text/html',
      'application/json',
      'text/event-stream; charset=utf-16',
      'text/event-stream',
      'TEXT/EVENT-STREAM',
      '',
      'application/octet-stream',
      'multipart/mixed; boundary=x',
    ),
  },
  {
    name: 'no content type',
    apply: (draft) => {
      draft.headers = draft.headers.filter(([name]) => name !== 'content-type')
    },
  },
  {
    name: 'encoding lie',
    apply: header(
      ['content-encoding', 'gzip'],
      ['content-encoding', 'br'],
      ['content-encoding', 'deflate'],
      ['content-encoding', 'zstd'],
      ['content-encoding', 'x'],
    ),
  },
  {
    name: 'compressed',
    apply: (draft, random) => {
      const isGzip = random.chance(0.5)
      draft.headers.push(['content-encoding', isGzip ? 'gzip' : 'deflate'])
      draft.bodyEdits.push((body) => (isGzip ? gzipSync(body) : deflateSync(body)))
      if (random.chance(0.4)) draft.bodyEdits.push((body) => body.subarray(0, random.int(0, body.length)))
    },
  },
  {
    name: 'gzip bomb',
    weight: 0.02,
    apply: (draft) => {
      draft.headers.push(['content-encoding', 'gzip'])
      draft.bodyEdits.push(() => gzipSync(Buffer.alloc(80_000_000, 0x20)))
    },
  },
  {
    name: 'wrong length',
    apply: (draft, random) => {
      draft.framing = 'length'
      draft.lengthOffset = random.pick([-20, -1, 1, 20, 1_000_000])
    },
  },
  {
    name: 'until the end',
    apply: (draft) => {
      draft.framing = 'close'
    },
  },
  {
    name: 'chunk size',
    apply: editChunks((text, random) =>
      text.replace(
        /^[0-9a-f]+/,
        random.pick(['zz', '-5', '', 'ffffffffffffffffff', '0x5', ' 5', '5 ', '5;x=y', 'fffffff']),
      ),
    ),
  },
  {
    name: 'chunk end',
    apply: editChunks((text, random) =>
      text.replace(
        '\r\n0\r\n',
        random.pick(['0\r\n', '\n0\n', '\r\n0\r\nx-trailer: y\r\n', '\r\n00\r\n', '\r\n0;a=b\r\n']),
      ),
    ),
  },
  {
    name: 'no last chunk',
    apply: (draft, random) => {
      editChunks((text) => text.slice(0, -5))(draft, random)
      draft.ending = random.pick(['fin', 'reset'])
    },
  },
  {
    name: 'more than an answer',
    apply: (draft, random) =>
      void draft.wireEdits.push((wire) =>
        Buffer.concat([
          wire,
          Buffer.from(
            random.pick([
              'x',
              '\r\n',
              'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{"smuggled":1',
              '0\r\n\r\n',
            ]),
          ),
        ]),
      ),
  },
  {
    name: 'in pieces',
    apply: (draft) => {
      draft.cut = 'pieces'
    },
  },
  {
    name: 'in pieces',
    apply: (draft) => {
      draft.cut = 'pieces'
    },
  },
  {
    name: 'drip',
    weight: 0.5,
    apply: (draft) => {
      draft.cut = 'drip'
    },
  },
  {
    name: 'slow',
    weight: 0.3,
    apply: (draft) => {
      draft.cut = 'pieces'
      draft.gapMs = 15
    },
  },
  { name: 'reset', apply: ending('reset') },
  { name: 'hang up', apply: ending('fin') },
  { name: 'stall', weight: 0.25, apply: ending('stall') },
  {
    name: 'never ends',
    weight: 0.1,
    apply: (draft, random) => {
      draft.framing = 'close'
      draft.ending = 'flood'
      draft.terminator = ''
      const event = draft.events?.at(1)
      draft.flood = Buffer.from(event ? writeEvent(event) : random.pick([' ', ': x\n\n', 'x']))
    },
  },
  { name: 'broken wire', apply: (draft, random) => void draft.wireEdits.push((wire) => mutateBytes(wire, random)) },
]

function editHead(wire: Buffer, edit: (head: string) => string): Buffer {
  const end = wire.indexOf('\r\n\r\n') + 4
  return Buffer.concat([Buffer.from(edit(wire.subarray(0, end).toString('latin1')), 'latin1'), wire.subarray(end)])
}
