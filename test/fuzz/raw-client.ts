import { connect, type Socket } from 'node:net'

/** An HTTP answer as it came over the socket. */
export type RawAnswer = {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly head: string
  readonly body: Buffer
  /** Whether the body ended as its head said it would. */
  readonly isComplete: boolean
}

export type Outcome =
  | { readonly kind: 'answer'; readonly answer: RawAnswer; readonly hasClosed: boolean }
  /** The connection ended without an answer. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'hang'; readonly received: string }
  /** What came is not HTTP. */
  | { readonly kind: 'garbled'; readonly why: string; readonly received: string }
  /** We hung up as planned. */
  | { readonly kind: 'left' }

export type RawRequest = {
  readonly bytes: readonly Buffer[]
  readonly isHead: boolean
  /** Whether another request may follow on the connection: the server cannot take a part of this one for the next. */
  readonly isFramed: boolean
  /** Hangs up at this point. */
  readonly leave?: 'after-request' | 'after-first-byte' | undefined
}

export type RawClient = {
  /** Sends the request and waits for the end of its answer, `limitMs` at most. Never rejects. */
  send(request: RawRequest, limitMs: number): Promise<Outcome>
  close(): void
}

/** A request whose end the server waits for is ended by us after this time. */
const patienceMs = 120

/** One connection at a time, used again while both sides agree where a message ends. */
export function createRawClient(port: number): RawClient {
  let kept: Socket | undefined

  async function send(request: RawRequest, limitMs: number): Promise<Outcome> {
    const isReused = kept !== undefined && request.isFramed
    const socket = isReused ? (kept as Socket) : connect({ port, host: '127.0.0.1' })
    if (isReused) kept = undefined
    const outcome = await exchange(socket, request, limitMs)
    const isReusable = outcome.kind === 'answer' && !outcome.hasClosed && request.isFramed && outcome.answer.isComplete
    if (isReusable && !kept && !socket.destroyed) keep(socket)
    else socket.destroy()
    // A kept connection may be closed by the server at any time: then the request is sent again on a new one.
    if (isReused && (outcome.kind === 'closed' || outcome.kind === 'refused')) return send(request, limitMs)
    return outcome
  }

  /** The server may close it before it is used again. */
  function keep(socket: Socket): void {
    kept = socket
    const drop = (): void => {
      if (kept === socket) kept = undefined
      socket.destroy()
    }
    socket.once('end', drop)
    socket.once('close', drop)
  }

  return { send, close: () => kept?.destroy() }
}

function exchange(socket: Socket, request: RawRequest, limitMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    let chunks: Buffer[] = []
    let received = Buffer.alloc(0)
    let length = 0
    let neededLength = 0
    const timers: NodeJS.Timeout[] = []
    socket.removeAllListeners()
    const finish = (outcome: Outcome): void => {
      for (const timer of timers) clearTimeout(timer)
      socket.removeAllListeners()
      socket.on('error', () => {})
      resolve(outcome)
    }
    const gather = (): Buffer => {
      if (chunks.length > 0) received = Buffer.concat([received, ...chunks])
      chunks = []
      return received
    }
    const show = (): string => gather().subarray(0, 600).toString('latin1')
    const look = (hasClosed: boolean): void => {
      const parsed = parseAnswer(gather(), request, hasClosed)
      if (parsed === 'nothing') {
        finish({ kind: 'closed' })
        return
      }
      if (typeof parsed === 'object' && 'needs' in parsed) {
        // A long answer is not parsed anew for every piece of it.
        neededLength = parsed.needs
        return
      }
      if (typeof parsed === 'string') {
        finish({ kind: 'garbled', why: parsed, received: show() })
        return
      }
      const closes = hasClosed || /\bclose\b/i.test(parsed.headers.connection ?? '')
      finish({ kind: 'answer', answer: parsed, hasClosed: closes })
    }
    const ended = (): void => {
      if (length === 0) finish({ kind: 'closed' })
      else look(true)
    }
    socket.on('data', (chunk: Buffer) => {
      if (request.leave === 'after-first-byte') {
        finish({ kind: 'left' })
        return
      }
      chunks.push(Buffer.from(chunk))
      length += chunk.length
      if (length >= neededLength) look(false)
    })
    socket.on('end', ended)
    socket.on('close', ended)
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') finish({ kind: 'refused', why: error.code })
      else ended()
    })
    timers.push(setTimeout(() => finish({ kind: 'hang', received: show() }), limitMs))
    for (const bytes of request.bytes) socket.write(bytes)
    if (request.leave === 'after-request') timers.push(setTimeout(() => finish({ kind: 'left' }), 20))
    else if (!request.isFramed) timers.push(setTimeout(() => socket.end(), patienceMs))
  })
}

type Shape = Pick<RawRequest, 'isHead' | 'isFramed'>

/** How many bytes there have to be before another look pays. */
type Needs = { readonly needs: number }
const more: Needs = { needs: 0 }

/** The answer when it is there whole; 'nothing' when nothing but a 100 came; or in words why this is no HTTP. */
function parseAnswer(bytes: Buffer, shape: Shape, hasClosed: boolean): RawAnswer | Needs | string {
  const { isHead, isFramed } = shape
  if (hasClosed && bytes.length === 0) return 'nothing'
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return hasClosed ? 'the head of the answer has no end' : more
  const head = bytes.subarray(0, end).toString('latin1')
  const [first = '', ...lines] = head.split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3})( .*)?$/.exec(first)?.[1] ?? Number.NaN)
  if (Number.isNaN(status)) return `the status line is ${JSON.stringify(first.slice(0, 80))}`
  const rest = bytes.subarray(end + 4)
  if (status === 100) return parseAnswer(rest, shape, hasClosed)
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon <= 0 || /[\0\n\r]/.test(line)) return `a header line is ${JSON.stringify(line.slice(0, 80))}`
    const name = line.slice(0, colon).toLowerCase()
    if (name in headers && name !== 'set-cookie') return `the header ${name} is there twice`
    headers[name] = line.slice(colon + 1).trim()
  }
  const answer = (body: Buffer, isComplete: boolean): RawAnswer => ({ status, headers, head, body, isComplete })
  if (isHead || status === 204 || status === 304) {
    return rest.length > 0 && isFramed ? 'there is a body where none may be' : answer(Buffer.alloc(0), true)
  }
  if (headers['transfer-encoding'] !== undefined) {
    const decoded = decodeChunks(rest, isFramed)
    if (typeof decoded === 'string') return decoded
    return decoded.isComplete || hasClosed ? answer(decoded.body, decoded.isComplete) : more
  }
  if (headers['content-length'] !== undefined) {
    const length = Number(headers['content-length'])
    // What was no clean request may be taken for several, and each of them is answered.
    if (rest.length > length && isFramed) return 'more came than content-length says'
    if (rest.length >= length) return answer(rest.subarray(0, length), true)
    return hasClosed ? answer(rest, false) : { needs: bytes.length - rest.length + length }
  }
  return hasClosed ? answer(rest, true) : more
}

function decodeChunks(bytes: Buffer, isFramed: boolean): { body: Buffer; isComplete: boolean } | string {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return { body: Buffer.concat(parts), isComplete: false }
    const size = bytes.subarray(at, lineEnd).toString('latin1')
    if (!/^[0-9a-f]+$/i.test(size)) return `a chunk size is ${JSON.stringify(size.slice(0, 80))}`
    const length = Number.parseInt(size, 16)
    const from = lineEnd + 2
    if (length === 0) {
      const isComplete = bytes.length >= from + 2
      return isFramed && bytes.length > from + 2
        ? 'something follows the last chunk'
        : { body: Buffer.concat(parts), isComplete }
    }
    if (bytes.length < from + length + 2) {
      parts.push(bytes.subarray(from, from + length))
      return { body: Buffer.concat(parts), isComplete: false }
    }
    parts.push(bytes.subarray(from, from + length))
    at = from + length + 2
  }
}
