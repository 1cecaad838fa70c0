import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandContext } from '../../context.ts'
import { readFilePieces, requireFile, writePieces } from './local-file.ts'
import { showTransfer } from './transfer.ts'

const folder = mkdtempSync(join(tmpdir(), 'ponto-local-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'a.bin')
const content = Buffer.alloc(1_000_000, 'abc')
writeFileSync(file, content)
const context = {} as CommandContext

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const read: Uint8Array[] = []
  for await (const piece of pieces) read.push(piece)
  return Buffer.concat(read)
}

test('a file is read whole and in part', async () => {
  expect(await requireFile(file)).toBe(1_000_000)
  expect((await collect(readFilePieces(file))).equals(content)).toBe(true)
  expect((await collect(readFilePieces(file, 10, 20))).toString()).toBe(content.subarray(10, 20).toString())
  await expect(requireFile(folder)).rejects.toThrow('is no regular file')
  await expect(requireFile(join(folder, 'b'))).rejects.toThrow('cannot be read (ENOENT)')
})

test('what is written is there whole or not at all', async () => {
  const target = join(folder, 'out')
  await writePieces(context, target, readFilePieces(file))
  expect(readFileSync(target).equals(content)).toBe(true)
  async function* broken() {
    yield Buffer.from('half')
    throw new Error('cut off')
  }
  await expect(writePieces(context, target, broken())).rejects.toThrow('cut off')
  expect(readFileSync(target).equals(content)).toBe(true)
  await expect(writePieces(context, join(folder, 'no', 'out'), readFilePieces(file))).rejects.toThrow('(ENOENT)')
  expect(readdirSync(folder).sort()).toEqual(['a.bin', 'out'])
})

test('standard output takes bytes at its own pace, and no more when its reader has gone', async () => {
  const taken: Uint8Array[] = []
  let tell = () => {}
  const stdout = {
    writable: true,
    write(bytes: Uint8Array) {
      taken.push(bytes)
      setTimeout(() => tell())
      return false
    },
    once(event: string, listener: () => void) {
      if (event === 'drain') tell = listener
    },
    off() {},
  }
  await writePieces({ stdout } as unknown as CommandContext, '-', readFilePieces(file))
  expect(Buffer.concat(taken).equals(content)).toBe(true)
  taken.length = 0
  stdout.writable = false
  await writePieces({ stdout } as unknown as CommandContext, '-', readFilePieces(file))
  expect(taken).toEqual([])
})

test('a transfer shows how far it is and how fast, and nothing when it is over at once', async () => {
  let seen = ''
  let time = 0
  const stderr = { isTTY: false, write: (text: string) => (seen += text) }
  async function* slowly(stepMs: number) {
    for (let i = 0; i < 4; i++) {
      time += stepMs
      yield Buffer.alloc(250_000)
    }
  }
  await collect(showTransfer({ stderr } as never, 'Uploading a', 1_000_000, slowly(100), () => time))
  expect(seen).toBe('')
  await collect(showTransfer({ stderr } as never, 'Uploading a', 1_000_000, slowly(1000), () => time))
  expect(seen).toBe(
    [
      'Uploading a: 250 kB of 1.0 MB, 250 kB/s',
      'Uploading a: 500 kB of 1.0 MB, 250 kB/s',
      'Uploading a: 750 kB of 1.0 MB, 250 kB/s',
      'Uploading a: 1.0 MB of 1.0 MB, 250 kB/s',
      '',
    ].join('\n'),
  )
})
