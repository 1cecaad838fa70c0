import { setPriority } from 'node:os'
import { Worker } from 'node:worker_threads'
import { openCl100k } from '../../../../backend/tokens/locate-cl100k.ts'
import { chunkText } from '../chunk/chunk-text.ts'
import { type Extracted, IngestionError, type TextChunk } from '../port.ts'
import { readDocument } from '../read/read-document.ts'
import { tooLong } from '../read/text-writer.ts'
import type { AnswerMessage, ReadMessage, WatchOptions } from './protocol.ts'

/**
 * A process that reads documents, of which nothing is believed: it has no environment, does nothing but answer the server, and is ended when a
 * document takes too much of it. See protocol.ts.
 */

/** Characters in one message, so that the server is never busy with one for long. */
const portionUnits = 131_072

const input = process.stdin[Symbol.asyncIterator]() as AsyncIterator<Buffer>
const vocabulary = openCl100k()
let isWatched = false

process.on('disconnect', () => process.exit())
// A library may go on with a document after it has failed on it; what matters is the answer.
process.on('unhandledRejection', () => {})
process.on('message', (message: ReadMessage) => void answer(message))
// No document has anything to ask of a network.
Object.assign(globalThis, { fetch: refuse, WebSocket: refuse, XMLHttpRequest: refuse, EventSource: refuse })

function refuse(): never {
  throw new Error('the process that reads documents has no network')
}

async function answer(message: ReadMessage): Promise<void> {
  watchMemory(message.limits.memoryBytes)
  try {
    const bytes = await receive(message.bytes)
    await tellText(await readDocument(bytes, message.filename, message.limits), message)
  } catch (error) {
    const known = error instanceof IngestionError ? error : new IngestionError('invalid_file', unreadable)
    tell({ type: 'failed', code: known.code, message: known.message, memoryBytes: process.memoryUsage.rss() })
  }
}

const unreadable = 'This file could not be read. Save it again, and upload it anew.'

async function tellText(extracted: Extracted, { chunking, limits }: ReadMessage): Promise<void> {
  const { kind, text, breaks } = extracted
  let tokens = 0
  if (chunking) {
    const ends = (await vocabulary)(text, limits.tokens)
    if (!ends) throw tooLong()
    tokens = ends.length
    for (const chunks of inPortions(chunkText(extracted, chunking, ends))) tell({ type: 'chunks', chunks })
  } else {
    for (let start = 0; start < text.length; start += portionUnits)
      tell({ type: 'text', text: text.slice(start, start + portionUnits) })
  }
  tell({ type: 'done', kind, breaks, characters: text.length, tokens, memoryBytes: process.memoryUsage.rss() })
}

function* inPortions(chunks: readonly TextChunk[]): Generator<TextChunk[]> {
  let portion: TextChunk[] = []
  let units = 0
  for (const chunk of chunks) {
    portion.push(chunk)
    units += chunk.text.length
    if (units < portionUnits) continue
    yield portion
    portion = []
    units = 0
  }
  if (portion.length > 0) yield portion
}

/** The server sends no byte more than it said. */
async function receive(bytes: number): Promise<Uint8Array> {
  const content = Buffer.allocUnsafeSlow(bytes)
  for (let filled = 0; filled < bytes; ) {
    const { value, done } = await input.next()
    if (done) process.exit()
    filled += value.copy(content, filled)
  }
  return new Uint8Array(content.buffer)
}

function tell(message: AnswerMessage): void {
  process.send?.(message)
}

/** The first document brings the limits, which are the same for all of them. */
function watchMemory(memoryBytes: number): void {
  if (isWatched) return
  isWatched = true
  const options: WatchOptions = { memoryBytes, parentPid: process.ppid }
  new Worker(new URL('./watch.ts', import.meta.url), { workerData: options })
}

try {
  // Whoever calls a model now comes first.
  setPriority(10)
} catch {
  // Not every system lets a process step back.
}
