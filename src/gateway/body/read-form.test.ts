import { describe, expect, test } from 'bun:test'
import type { FormPart } from '../../core/service-route.ts'
import { readFormParts } from './read-form.ts'

const type = 'multipart/form-data; boundary=b'

function makeForm(...parts: readonly (readonly [string, string, string?])[]): Buffer {
  const text = parts.map(([name, content, filename]) => {
    const file = filename === undefined ? '' : `; filename="${filename}"`
    return `--b\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${content}\r\n`
  })
  return Buffer.from(`${text.join('')}--b--\r\n`)
}

type Opened = { readonly parts: AsyncGenerator<FormPart, undefined>; readonly turns: string[]; isCancelled(): boolean }

/** The form in pieces of so many bytes, each given when it is asked for. */
function open(form: Buffer, pieceBytes: number, maxBytes = 1e6): Opened {
  let isCancelled = false
  let at = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (at >= form.length) return controller.close()
        controller.enqueue(new Uint8Array(form.subarray(at, at + pieceBytes)))
        at += pieceBytes
      },
      cancel() {
        isCancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  const request = new Request('http://ponto/', { method: 'POST', headers: { 'content-type': type }, body })
  const turns: string[] = []
  return { parts: readFormParts(request, maxBytes, (turn) => turns.push(turn)), turns, isCancelled: () => isCancelled }
}

async function readText(content: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of content) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

const form = makeForm(['a', 'one'], ['f', 'x'.repeat(1000), 'f.txt'], ['b', 'two'], ['g', '', 'g.txt'], ['c', 'three'])
const all = [
  ['a', undefined, 'one', 'one'],
  ['f', 'f.txt', undefined, 'x'.repeat(1000)],
  ['b', undefined, 'two', 'two'],
  ['g', 'g.txt', undefined, ''],
  ['c', undefined, 'three', 'three'],
] as const

describe.each([1, 7, 100, 1e6])('parts, in pieces of %d bytes', (pieceBytes) => {
  test('are read in their order', async () => {
    const seen: unknown[] = []
    for await (const { name, filename, value, content } of open(form, pieceBytes).parts) {
      seen.push([name, filename, value, await readText(content)])
    }
    expect(seen).toEqual(all.map((part) => [...part]))
  })

  test('that are not read are passed over, be it in their middle', async () => {
    const names: string[] = []
    for await (const { name, content } of open(form, pieceBytes).parts) {
      names.push(name)
      if (name === 'f') for await (const _ of content) break
    }
    expect(names).toEqual(['a', 'f', 'b', 'g', 'c'])
  })

  test('nobody asks for any more: the request is not read on', async () => {
    const { parts, isCancelled } = open(form, pieceBytes)
    for await (const { name, content } of parts) {
      if (name !== 'f') continue
      for await (const _ of content) break
      break
    }
    expect(isCancelled()).toBe(true)
  })
})

test('it is the turn of the caller while bytes are awaited, and ours while they are used', async () => {
  const { parts, turns } = open(form, 100)
  let isOurs = true
  for await (const { content } of parts) {
    for await (const _ of content) isOurs &&= turns.at(-1) === 'ours'
  }
  expect(isOurs).toBe(true)
  expect(turns.filter((turn) => turn === 'caller').length).toBeGreaterThan(10)
  expect(turns.at(-1)).toBe('ours')
})

test('a form that is too large is refused when that is seen', async () => {
  const { parts } = open(form, 100, 500)
  expect((await parts.next()).value?.name).toBe('a')
  const file = (await parts.next()).value as FormPart
  await expect(readText(file.content)).rejects.toMatchObject({ code: 'body-too-large' })
})
