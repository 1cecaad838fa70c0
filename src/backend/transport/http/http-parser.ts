import { Fault } from '../../../core/fault.ts'

/** What the parser reports, in this order: one head, any number of body parts, one end. */
export type ResponseSink = {
  /** Header names in lower case, repeated ones joined with ", ". */
  takeHead(status: number, headers: Record<string, string>): void
  /** A view into the bytes that were fed, never empty. */
  takeBody(part: Uint8Array): void
  takeEnd(): void
}

const maxLineBytes = 16_384
const maxSectionBytes = 65_536
const maxFields = 200
const maxChunkBytes = 2 ** 30

// Where the parser stands. The first five read lines, the others count bytes.
const atStatus = 0
const atField = 1
const atChunkSize = 2
const atChunkEnd = 3
const atTrailer = 4
const inFixedBody = 5
const inChunk = 6
const inOpenBody = 7
const atEnd = 8

/**
 * Reads HTTP/1.1 answers (RFC 9112) from bytes in any chunking. Interim 1xx answers are skipped. What two readers could
 * understand differently is refused: both Content-Length and Transfer-Encoding, lengths that differ, a bare LF or CR, NUL,
 * folded fields. Every method throws Fault `upstream-failed` and must not be called again after it did.
 */
export class ResponseParser {
  readonly #sink: ResponseSink
  /** Names the peer in messages: "https://host". */
  readonly #peer: string
  #state = atStatus
  #status = 0
  #isOldVersion = false
  #headers: Record<string, string> = {}
  #fieldCount = 0
  /** Bytes of the lines of this head or trailer section, so that neither can be endless. */
  #sectionBytes = 0
  /** Bytes still to come of a fixed body or a chunk. */
  #bytesLeft = 0
  /** The beginning of a line whose end has not come. */
  #carry: Buffer | undefined
  #carryBytes = 0
  #isReusable = false
  #hasLeftover = false

  constructor(peer: string, sink: ResponseSink) {
    this.#peer = peer
    this.#sink = sink
  }

  /** Whether the status line of the answer proper (not of an interim one) has come. */
  get hasStatus(): boolean {
    return this.#state !== atStatus && this.#status >= 200
  }

  get isComplete(): boolean {
    return this.#state === atEnd
  }

  /** Whether the connection may carry another request: the answer is complete, nothing followed it, nobody said "close". */
  get isReusable(): boolean {
    return this.#state === atEnd && this.#isReusable && !this.#hasLeftover
  }

  /** Makes ready for the next answer. */
  reset(): void {
    this.#state = atStatus
    this.#sectionBytes = 0
    this.#carryBytes = 0
    this.#hasLeftover = false
  }

  feed(bytes: Buffer): void {
    const size = bytes.length
    let at = 0
    while (at < size) {
      if (this.#state < inFixedBody) {
        at = this.#feedLine(bytes, at)
      } else if (this.#state === atEnd) {
        this.#hasLeftover = true
        return
      } else if (this.#state === inOpenBody) {
        this.#sink.takeBody(at === 0 ? bytes : bytes.subarray(at))
        return
      } else {
        const end = Math.min(size, at + this.#bytesLeft)
        this.#bytesLeft -= end - at
        this.#sink.takeBody(bytes.subarray(at, end))
        at = end
        if (this.#bytesLeft > 0) return
        if (this.#state === inChunk) this.#state = atChunkEnd
        else this.#finish()
      }
    }
  }

  /** The peer has closed its side, which ends a body of unknown length. Throws when the answer was not complete. */
  end(): void {
    if (this.#state === inOpenBody) this.#finish()
    else if (this.#state !== atEnd) throw new Fault('upstream-failed', this.#describeCut())
  }

  #describeCut(): string {
    if (this.#state === atStatus && this.#carryBytes === 0)
      return `${this.#peer} closed the connection without an answer`
    return `${this.#peer} closed the connection in the middle of its answer`
  }

  #feedLine(bytes: Buffer, at: number): number {
    const lineFeed = bytes.indexOf(10, at)
    const stop = lineFeed < 0 ? bytes.length : lineFeed + 1
    if (this.#carryBytes + stop - at > maxLineBytes) throw this.#refuse(`a line longer than ${maxLineBytes} bytes`)
    let line: string
    if (lineFeed >= 0 && this.#carryBytes === 0) {
      line = bytes.toString('latin1', at, stop)
    } else {
      this.#carry ??= Buffer.allocUnsafe(maxLineBytes)
      bytes.copy(this.#carry, this.#carryBytes, at, stop)
      this.#carryBytes += stop - at
      if (lineFeed < 0) return stop
      line = this.#carry.toString('latin1', 0, this.#carryBytes)
      this.#carryBytes = 0
    }
    this.#sectionBytes += line.length
    const end = line.length - 2
    if (line.charCodeAt(end) !== 13) throw this.#refuse('a line that ends in LF without CR')
    this.#readLine(line.slice(0, end))
    return stop
  }

  #readLine(line: string): void {
    if (this.#state === atField) {
      if (line === '') this.#closeHead()
      else this.#readField(line, this.#headers)
    } else if (this.#state === atStatus) {
      this.#readStatus(line)
    } else if (this.#state === atChunkSize) {
      this.#readChunkSize(line)
    } else if (this.#state === atChunkEnd) {
      if (line !== '') throw this.#refuse('a chunk longer than its size')
      this.#state = atChunkSize
    } else if (line === '') {
      this.#finish()
    } else {
      this.#readField(line, {})
    }
  }

  #readStatus(line: string): void {
    const status = readDigits(line, 9, 12)
    const hasVersion = line.startsWith('HTTP/1.1 ') || line.startsWith('HTTP/1.0 ')
    const hasReason = line.length === 12 || line.charCodeAt(12) === 32
    if (!hasVersion || status < 100 || status > 599 || !hasReason || !isText(line, 12)) {
      throw this.#refuse('a first line that is not "HTTP/1.1 <status> <reason>"')
    }
    if (status === 101) throw this.#refuse('status 101, a change of protocol that nobody asked for')
    this.#status = status
    this.#isOldVersion = line.charCodeAt(7) === 48
    this.#headers = Object.create(null)
    this.#fieldCount = 0
    this.#state = atField
  }

  #readField(line: string, headers: Record<string, string>): void {
    if (this.#sectionBytes > maxSectionBytes) throw this.#refuse(`headers longer than ${maxSectionBytes} bytes`)
    if (++this.#fieldCount > maxFields) throw this.#refuse(`more than ${maxFields} headers`)
    const colon = line.indexOf(':')
    if (colon < 1 || !isToken(line, colon)) throw this.#refuse('a header whose name is empty, folded or malformed')
    let start = colon + 1
    let end = line.length
    while (start < end && isBlank(line.charCodeAt(start))) start++
    while (end > start && isBlank(line.charCodeAt(end - 1))) end--
    if (!isText(line, start)) throw this.#refuse('a control character in a header')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(start, end)
    const earlier = headers[name]
    if (earlier === undefined) headers[name] = value
    else if (name !== 'content-length') headers[name] = `${earlier}, ${value}`
    else if (earlier !== value) throw this.#refuse('two Content-Length headers that differ')
  }

  #closeHead(): void {
    const status = this.#status
    if (status < 200) {
      // An interim answer. Its bytes keep counting, so that there cannot be endlessly many.
      this.#state = atStatus
      return
    }
    const headers = this.#headers
    const encoding = headers['transfer-encoding']
    const length = headers['content-length']
    if (encoding !== undefined && length !== undefined) throw this.#refuse('both Content-Length and Transfer-Encoding')
    const bytesLeft = length === undefined ? -1 : readDigits(length, 0, length.length)
    if (length !== undefined && (bytesLeft < 0 || length.length > 15))
      throw this.#refuse('a Content-Length that is no number')
    const isChunked = encoding !== undefined
    if (isChunked && (this.#isOldVersion || encoding.toLowerCase() !== 'chunked')) {
      throw this.#refuse('a Transfer-Encoding other than "chunked"')
    }
    this.#isReusable = this.#isOldVersion
      ? hasListItem(headers.connection, 'keep-alive')
      : !hasListItem(headers.connection, 'close')
    this.#sink.takeHead(status, headers)
    if (status === 204 || status === 304 || bytesLeft === 0) {
      this.#finish()
    } else if (isChunked) {
      this.#state = atChunkSize
    } else if (bytesLeft > 0) {
      this.#bytesLeft = bytesLeft
      this.#state = inFixedBody
    } else {
      this.#isReusable = false
      this.#state = inOpenBody
    }
  }

  #readChunkSize(line: string): void {
    let size = 0
    let at = 0
    for (; at < line.length; at++) {
      const digit = hexValue(line.charCodeAt(at))
      if (digit < 0) break
      size = size * 16 + digit
      if (size > maxChunkBytes) throw this.#refuse(`a chunk larger than ${maxChunkBytes} bytes`)
    }
    const isSize = at > 0 && at <= 16 && (at === line.length || isExtension(line, at))
    if (!isSize) throw this.#refuse('a chunk size that is no hexadecimal number')
    if (size > 0) {
      this.#bytesLeft = size
      this.#state = inChunk
    } else {
      this.#sectionBytes = 0
      this.#fieldCount = 0
      this.#state = atTrailer
    }
  }

  #finish(): void {
    this.#state = atEnd
    this.#sink.takeEnd()
  }

  #refuse(what: string): Fault {
    return new Fault('upstream-failed', `${this.#peer} sent an answer that is not valid HTTP/1.1: ${what}`)
  }
}

/** Whether a comma-separated header value holds `item` (lower case), without regard to case. */
export function hasListItem(value: string | undefined, item: string): boolean {
  if (value === undefined) return false
  for (const part of value.split(',')) if (part.trim().toLowerCase() === item) return true
  return false
}

/** The first `end` characters are a token of RFC 9110 section 5.6.2: a header name. */
export function isToken(text: string, end = text.length): boolean {
  for (let at = 0; at < end; at++) if (tokenCodes[text.charCodeAt(at)] !== 1) return false
  return end > 0
}

/** No control character but the tab from `start` on: what a header value may hold. */
export function isText(text: string, start = 0): boolean {
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if ((code < 32 && code !== 9) || code === 127) return false
  }
  return true
}

const tokenCodes = new Uint8Array(256)
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  tokenCodes[char.charCodeAt(0)] = 1
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9
}

/** Blanks are allowed before the ";" of an extension and nowhere else. */
function isExtension(line: string, start: number): boolean {
  let at = start
  while (isBlank(line.charCodeAt(at))) at++
  return line.charCodeAt(at) === 59 && isText(line, at)
}

/** The decimal number in text[start..end), or -1. */
function readDigits(text: string, start: number, end: number): number {
  let value = end > start ? 0 : -1
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 48
    if (!(digit >= 0 && digit <= 9)) return -1
    value = value * 10 + digit
  }
  return value
}

function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const letter = code | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}
