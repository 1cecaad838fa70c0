import { Fault } from '../../core/fault.ts'

/**
 * A part of a multipart form as it goes by. `bytes` is what stands for it in the form, the line before it included: all `bytes` in
 * a row are the form again, and a part is left out by leaving its bytes out.
 */
export type FormPiece =
  /** A whole field; `value` is its `content` as text. */
  | {
      readonly kind: 'field'
      readonly name: string
      readonly value: string
      readonly content: Uint8Array
      readonly bytes: Uint8Array
    }
  /** The head of a file, or of a field so long that it is not read but passed like one. Its data follows. */
  | {
      readonly kind: 'file'
      readonly name: string
      /** As the client wrote it: any text. Absent for a long field. */
      readonly filename: string | undefined
      readonly bytes: Uint8Array
    }
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly bytes: Uint8Array }

export type FormParser = {
  /** The pieces that are complete with these bytes. Throws Fault `invalid-request` for what is no form. */
  feed(bytes: Uint8Array): FormPiece[]
  /** Nothing follows. Throws Fault `invalid-request` when the form is not complete. */
  end(): void
}

type Part = {
  readonly name: string
  readonly filename: string | undefined
  isFile: boolean
  readonly head: Buffer
  content: Buffer[]
  length: number
}

const maxHeadBytes = 16_384
const maxFieldBytes = 65_536
const maxPadding = 128
const lineEnd = Buffer.from('\r\n')
const headEnd = Buffer.from('\r\n\r\n')
const nothing = Buffer.alloc(0)

/** Reads `multipart/form-data` (RFC 7578, RFC 2046 section 5.1), however its bytes are cut. Files pass through and are not held. */
export function createFormParser(boundary: string): FormParser {
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  let state: 'content' | 'delimiter' | 'head' | 'end' = 'content'
  /** None before the first delimiter, where there may be a preamble. */
  let part: Part | undefined
  // The first delimiter has no line before it.
  let buffer: Buffer = lineEnd
  let at = 0
  let pieces: FormPiece[] = []

  function feed(bytes: Uint8Array): FormPiece[] {
    pieces = []
    if (state === 'end') return pieces
    const fresh = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    buffer = at < buffer.length ? Buffer.concat([buffer.subarray(at), fresh]) : fresh
    at = 0
    while (takeNext()) {}
    return pieces
  }

  /** Whether there was enough for another step. */
  function takeNext(): boolean {
    if (state === 'content') return takeContent()
    if (state === 'delimiter') return takeDelimiter()
    return state === 'head' && takeHead()
  }

  function takeContent(): boolean {
    const found = buffer.indexOf(delimiter, at)
    const end = found === -1 ? beginOfTail(buffer, at, delimiter.length) : found
    addContent(buffer.subarray(at, end))
    at = end
    if (found === -1) return false
    closePart()
    at = found + delimiter.length
    state = 'delimiter'
    return true
  }

  function takeDelimiter(): boolean {
    if (buffer.length - at < 2) return false
    if (buffer[at] === 0x2d && buffer[at + 1] === 0x2d) {
      state = 'end'
      pieces.push({ kind: 'end', bytes: Buffer.concat([delimiter, Buffer.from('--\r\n')]) })
      buffer = nothing
      return false
    }
    const end = buffer.indexOf(lineEnd, at)
    if (end === -1 && buffer.length - at <= maxPadding) return false
    for (let i = at; i < (end === -1 ? buffer.length : end); i++) {
      if (buffer[i] !== 0x20 && buffer[i] !== 0x09) throw malformed('a boundary is followed by something else')
    }
    if (end === -1) throw malformed('a boundary is followed by blanks without end')
    at = end + lineEnd.length
    state = 'head'
    return true
  }

  function takeHead(): boolean {
    const end = buffer.indexOf(headEnd, at)
    if ((end === -1 ? buffer.length : end) - at > maxHeadBytes) throw malformed('the headers of a part are too long')
    if (end === -1) return false
    const lines = buffer.subarray(at, end)
    at = end + headEnd.length
    const { name, filename } = readDisposition(lines.toString())
    const isFile = filename !== undefined
    const head = Buffer.concat([delimiter, lineEnd, lines, headEnd])
    part = { name, filename, isFile, head, content: [], length: 0 }
    if (isFile) pieces.push({ kind: 'file', name, filename, bytes: head })
    state = 'content'
    return true
  }

  function addContent(bytes: Buffer): void {
    if (!part || bytes.length === 0) return
    if (part.isFile) {
      pieces.push({ kind: 'data', bytes })
      return
    }
    part.content.push(bytes)
    part.length += bytes.length
    if (part.length <= maxFieldBytes) return
    part.isFile = true
    pieces.push({ kind: 'file', name: part.name, filename: undefined, bytes: part.head })
    for (const bytes of part.content.splice(0)) pieces.push({ kind: 'data', bytes })
  }

  function closePart(): void {
    if (part && !part.isFile) {
      const { name, head, content } = part
      const whole = Buffer.concat(content)
      const bytes = Buffer.concat([head, whole])
      pieces.push({ kind: 'field', name, value: whole.toString(), content: whole, bytes })
    }
    part = undefined
  }

  function end(): void {
    if (state !== 'end') throw malformed('it ends before its closing boundary')
  }

  return { feed, end }
}

/** Where a delimiter may have begun whose rest is yet to come: it holds one CR, its first byte. */
function beginOfTail(buffer: Buffer, at: number, delimiterLength: number): number {
  const begin = buffer.indexOf(0x0d, Math.max(at, buffer.length - delimiterLength + 1))
  return begin === -1 ? buffer.length : begin
}

const parameterPattern = /^\s*;\s*(name|filename|filename\*)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/i

/**
 * The names in the `Content-Disposition` of a part. Strict, since the upstream reads the same lines: what two readers could take for
 * different names is refused.
 */
function readDisposition(head: string): { name: string; filename: string | undefined } {
  const lines = head.split('\r\n')
  const own = lines.filter((line) => /^content-disposition\s*:/i.test(line))
  if (own.length !== 1 || lines.some((line) => /^\s/.test(line) || /[\r\n]/.test(line))) {
    throw malformed('a part needs one Content-Disposition header on one line')
  }
  const start = /^content-disposition:\s*form-data/i.exec(own[0] as string)
  if (!start) throw malformed('the Content-Disposition of a part must be form-data')
  const parameters = new Map<string, string>()
  let rest = (own[0] as string).slice(start[0].length)
  while (rest.trim() !== '') {
    const match = parameterPattern.exec(rest)
    const key = match?.[1]?.toLowerCase()
    if (!match || key === undefined || parameters.has(key)) {
      throw malformed('the Content-Disposition of a part may hold a name and a filename, once each')
    }
    parameters.set(key, match[2] ?? match[3] ?? '')
    rest = rest.slice(match[0].length)
  }
  const name = parameters.get('name')
  if (name === undefined || name.includes('\\')) throw malformed('a part has no name, or one with a backslash')
  return { name, filename: readFilename(parameters.get('filename*'), parameters.get('filename')) }
}

/** `extended` is `utf-8''a%20b` (RFC 5987) and wins. In the other, clients escape quotes as `\"` or, with line breaks, as `%22`. */
function readFilename(extended: string | undefined, plain: string | undefined): string | undefined {
  const encoded = /^utf-8'[^']*'(.*)$/i.exec(extended ?? '')?.[1]
  if (encoded !== undefined) {
    try {
      return decodeURIComponent(encoded)
    } catch {
      // Not what it says it is: then the other one, or the text as it came.
    }
  }
  const text = plain ?? extended
  return text?.replace(
    /\\(["\\])|%(22|0[aAdD])/g,
    (_, escaped, code) => escaped ?? String.fromCharCode(Number.parseInt(code, 16)),
  )
}

function malformed(why: string): Fault {
  return new Fault('invalid-request', `The request body is not a multipart form: ${why}.`)
}

const boundaryPattern = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))/i

/** The boundary a content type names. Throws Fault `invalid-request` when it names none. */
export function readBoundary(contentType: string): string {
  const match = boundaryPattern.exec(contentType)
  const boundary = match?.[1] ?? match?.[2]
  if (boundary === undefined) {
    throw new Fault(
      'invalid-request',
      "The Content-Type 'multipart/form-data' must name a boundary of 1 to 70 characters.",
    )
  }
  return boundary
}

/** A field of a form, to be written before its first part. */
export function writeFormField(boundary: string, name: string, value: string): Uint8Array {
  return Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}`)
}
