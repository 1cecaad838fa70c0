import { Fault } from '../../../core/fault.ts'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import { makeHarmless } from '../../terminal/excerpt.ts'
import { readFilePieces } from '../file/local-file.ts'
import { type Line, splitLines } from './split-lines.ts'

/** What a file of requests comes to. */
export type PreparedInput = {
  readonly lines: number
  /** Bytes that are to be sent. */
  readonly size: number
  /** What to send in place of the file; undefined where that is the file itself. */
  readonly content: (() => AsyncIterable<Uint8Array>) | undefined
}

const mib = 1024 * 1024
/** The server holds one line at a time, and none longer than this. */
const mostLineBytes = 16 * mib
const mostProblems = 20
const pieceBytes = 256 * 1024

/**
 * Reads a file of requests once, to find what the server would find later. Lines that name no model get `deployment`; without one they are
 * told. Rejects with Fault `invalid-request` that names the lines.
 */
export async function prepareInput(file: string, deployment: string | undefined): Promise<PreparedInput> {
  const problems: string[] = []
  let lines = 0
  let size = 0
  let isRewritten = false
  for await (const line of splitLines(readFilePieces(file), mostLineBytes)) {
    const reading = readLine(line, deployment)
    if (reading.kind === 'problem') {
      problems.push(`${file}:${line.number}: ${reading.text}`)
      if (problems.length === mostProblems) break
      continue
    }
    if (reading.kind === 'rewritten') isRewritten = true
    if (reading.kind !== 'blank') lines++
    size += reading.bytes.length
  }
  if (problems.length === mostProblems) problems.push('There may be more; nothing was uploaded.')
  if (problems.length > 0) throw new Fault('invalid-request', problems.join('\n'))
  if (lines === 0) throw new Fault('invalid-request', `${file} holds no requests.`)
  return { lines, size, content: isRewritten ? () => rewriteFile(file, deployment) : undefined }
}

/** The file with the deployment in its lines. It was found to be in order before. */
async function* rewriteFile(file: string, deployment: string | undefined): AsyncGenerator<Uint8Array, undefined> {
  let held: Uint8Array[] = []
  let heldBytes = 0
  for await (const line of splitLines(readFilePieces(file), mostLineBytes)) {
    const reading = readLine(line, deployment)
    if (reading.kind === 'problem') {
      throw new Fault('conflict', `${file} has changed while it was sent: line ${line.number}: ${reading.text}`)
    }
    held.push(reading.bytes)
    heldBytes += reading.bytes.length
    if (heldBytes < pieceBytes) continue
    yield Buffer.concat(held)
    held = []
    heldBytes = 0
  }
  if (heldBytes > 0) yield Buffer.concat(held)
}

type LineReading =
  | { readonly kind: 'blank' | 'same' | 'rewritten'; readonly bytes: Uint8Array }
  | { readonly kind: 'problem'; readonly text: string }

const decoder = new TextDecoder('utf-8', { fatal: true })

function readLine({ bytes }: Line, deployment: string | undefined): LineReading {
  if (bytes.length > mostLineBytes) return problem(`the line is longer than ${mostLineBytes / mib} MiB`)
  const line = parseLine(bytes)
  if (line === undefined) return { kind: 'blank', bytes }
  if (typeof line === 'string') return problem(line)
  const { body } = line
  if (!isJsonObject(body)) return problem('"body" is missing: the request itself, as an object')
  if (body.model === undefined || body.model === null || body.model === '') {
    if (deployment === undefined) return problem('the request names no model; say which with --deployment NAME')
    const text = JSON.stringify({ ...line, body: { ...body, model: deployment } })
    return { kind: 'rewritten', bytes: Buffer.from(`${text}\n`) }
  }
  if (typeof body.model !== 'string') return problem('"body.model" must be the name of a deployment')
  if (deployment !== undefined && body.model.toLowerCase() !== deployment.toLowerCase()) {
    return problem(
      `the request names ${JSON.stringify(body.model.slice(0, 64))}, not ${JSON.stringify(deployment)}; a batch is for one deployment`,
    )
  }
  // Windows writes one before the first line, and the server takes none.
  return hasByteOrderMark(bytes) ? { kind: 'rewritten', bytes: bytes.subarray(3) } : { kind: 'same', bytes }
}

const hasByteOrderMark = (bytes: Uint8Array): boolean => bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf

const problem = (text: string): LineReading => ({ kind: 'problem', text })

/** What is wrong with it, in words, where it is no object; undefined for a line with nothing in it. */
function parseLine(bytes: Uint8Array): JsonObject | string | undefined {
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    return 'the line is no text in UTF-8'
  }
  if (text.trim() === '') return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : 'expected a JSON object: {"custom_id", "method", "url", "body"}'
  } catch (error) {
    return `the line is no JSON (${makeHarmless((error as Error).message)})`
  }
}
