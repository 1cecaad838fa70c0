import { mutateBytes } from '../json-text.ts'
import type { Random } from '../random.ts'
import type { RequestDraft, RequestMutation } from './draft.ts'

/** Where a message ends, and what is no message at all. */

/** What two readers may take for messages of different lengths: each of these gets a connection of its own. */
const unframed = (name: string, apply: (draft: RequestDraft, random: Random) => void): RequestMutation => ({
  name,
  apply: (draft, random) => {
    draft.isFramed = false
    draft.isPathKnown = false
    apply(draft, random)
  },
})
const editWire = (edit: (wire: Buffer, random: Random) => Buffer) => (draft: RequestDraft, random: Random) =>
  void draft.wireEdits.push((wire) => edit(wire, random))
const editChunks = (edit: (framed: string, random: Random) => string) => (draft: RequestDraft, random: Random) => {
  draft.framing = 'chunked'
  draft.chunkEdits.push((text) => edit(text, random))
}
const badSizes = ['zz', '-1', '', 'ffffffffffffffffff', '0x5', ' 5', '7fffffff', '5;ext', '+5', '5\n']

export const wireMutations: readonly RequestMutation[] = [
  unframed(
    'bad chunk size',
    editChunks((text, random) => text.replace(/^[0-9a-f]+/, random.pick(badSizes))),
  ),
  unframed(
    'no last chunk',
    editChunks((text) => text.slice(0, -5)),
  ),
  unframed(
    'bad chunk end',
    editChunks((text, random) =>
      text.replace('\r\n0\r\n', random.pick(['0\r\n', '\n0\n', '\r\n0\r\nx: y\r\n', '\r\n0\r\n\0'])),
    ),
  ),
  unframed(
    'two lengths',
    (draft, random) =>
      void draft.headers.push([
        'Content-Length',
        random.pick(['0', '5', '-1', '1e3', '5, 5', '99999999999999999999', '0x10', '+5', ' ']),
      ]),
  ),
  unframed('wrong length', (draft, random) => {
    draft.length = random.pick(['0', '1', '1000000', '99999999999', '-5', 'x', ''])
  }),
  unframed('length and chunks', (draft, random) => {
    draft.framing = 'chunked'
    draft.headers.push(['Content-Length', random.pick(['0', '5', '100'])])
  }),
  unframed(
    'transfer encoding',
    (draft, random) =>
      void draft.headers.push([
        'Transfer-Encoding',
        random.pick(['gzip', 'chunked', 'identity', 'xchunked', 'chunked, gzip', '\x0bchunked', '']),
      ]),
  ),
  unframed(
    'cut',
    editWire((wire, random) => wire.subarray(0, random.int(0, wire.length))),
  ),
  unframed(
    'broken bytes',
    editWire((wire, random) => mutateBytes(wire, random)),
  ),
  unframed(
    'LF only',
    editWire((wire) => Buffer.from(wire.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')),
  ),
  unframed(
    'version',
    editWire((wire, random) =>
      Buffer.from(
        wire
          .toString('latin1')
          .replace('HTTP/1.1', random.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', '', 'HTTP/1.1 x', 'http/1.1'])),
        'latin1',
      ),
    ),
  ),
  unframed(
    'header line',
    editWire((wire, random) =>
      Buffer.from(
        wire
          .toString('latin1')
          .replace(
            '\r\n',
            `\r\n${random.pick(['nocolon', ': x', 'a b: c', ' folded', 'x\0y: z', 'x: \0', 'x: a\rb', 'x\xff: y'])}\r\n`,
          ),
        'latin1',
      ),
    ),
  ),
  unframed(
    'a second request',
    editWire((wire) => Buffer.concat([wire, Buffer.from('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n')])),
  ),
  unframed(
    'garbage',
    (draft, random) =>
      void draft.wireEdits.push(() =>
        Buffer.from(Array.from({ length: random.int(1, 300) }, () => random.int(0, 255))),
      ),
  ),
  unframed('TLS', (draft) => void draft.wireEdits.push(() => Buffer.from('16030100c8010000c40303', 'hex'))),
]
