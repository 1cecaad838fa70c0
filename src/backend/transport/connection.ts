import type { Socket } from 'node:net'
import { Fault, toFault } from '../../core/fault.ts'
import type { Deadlines, Watched } from './deadlines.ts'
import { decodeBody } from './http/decode-body.ts'
import { ResponseParser, type ResponseSink } from './http/http-parser.ts'
import { writeChunk, writeLastChunk } from './http/request-body.ts'
import { type BodySource, ResponseBody } from './http/response-body.ts'
import type { Holder, PendingRequest } from './pending-request.ts'
import type { Timeouts } from './transport.ts'

/** What a connection needs to know and whom it tells: its pool. */
export type ConnectionOwner = {
  readonly peer: string
  readonly timeouts: Timeouts
  readonly maxIdleMs: number
  readonly deadlines: Deadlines
  /** The connection is free for another request. */
  takeFree(connection: Connection): void
  /** The connection has ended and its place is free. */
  takeClosed(connection: Connection): void
  /** The peer had dropped the connection before it saw the request. The connection closes right after. */
  takeUnsent(pending: PendingRequest): void
}

/** Above this, the socket is paused until the reader has caught up. A read that was under way (at most 512 KiB in Bun) still arrives. */
const pauseAboveBytes = 262_144

/** One socket and the request on it, if any: writes it, feeds the parser, keeps the deadlines. */
export class Connection implements Watched, Holder, ResponseSink, BodySource {
  deadlineMs = Number.POSITIVE_INFINITY
  readonly #socket: Socket
  readonly #owner: ConnectionOwner
  readonly #parser: ResponseParser
  #pending: PendingRequest | undefined
  /** Of the answer that is coming in; undefined before its head and after its end. */
  #body: ResponseBody | undefined
  #requestCount = 0
  #hasAnswerByte = false
  /** The request's body is still going out. */
  #isSending = false
  #isPaused = false
  #isClosed = false
  #keepForMs: number

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.#socket = socket
    this.#owner = owner
    this.#keepForMs = owner.maxIdleMs
    this.#parser = new ResponseParser(owner.peer, this)
    owner.deadlines.add(this)
    socket.on('data', (bytes: Buffer) => this.#read(bytes))
    socket.on('end', () => this.#readEnd())
    socket.on('error', (error: NodeJS.ErrnoException) => this.#lose(error.code ?? error.message))
    socket.on('close', () => this.#lose('closed'))
  }

  send(pending: PendingRequest): void {
    this.#pending = pending
    this.#requestCount++
    this.#hasAnswerByte = false
    this.#parser.reset()
    pending.holder = this
    this.#setDeadline(performance.now() + this.#owner.timeouts.firstByteMs)
    this.#socket.write(pending.text)
    if (pending.pieces) void this.#sendPieces(pending, pending.pieces)
  }

  /** Waits for another request, for as long as the pool or the peer's `keep-alive` header allows. */
  rest(): void {
    this.deadlineMs = performance.now() + this.#keepForMs
    this.#owner.deadlines.note(this.deadlineMs)
  }

  /** Ends the connection; what is under way on it has failed already or is not wanted. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#owner.deadlines.remove(this)
    this.#socket.destroy()
    this.#owner.takeClosed(this)
  }

  // As the thing watched by Deadlines

  expire(): void {
    if (this.#pending) this.#pending.expire()
    else this.close()
  }

  // As the holder of a request

  drop(_pending: PendingRequest, fault: Fault): void {
    this.#fail(fault)
  }

  explainLate(pending: PendingRequest): Fault {
    const { peer, timeouts } = this.#owner
    const sentence = (what: string, field: keyof Timeouts) =>
      new Fault('upstream-timeout', `${peer} ${what} within ${timeouts[field]} ms (${field})`)
    if (this.deadlineMs >= pending.totalAtMs) return sentence('had not answered completely', 'totalMs')
    if (this.#isSending && !this.#parser.hasStatus) return sentence('took no more of the request', 'idleMs')
    if (!this.#parser.hasStatus) return sentence('did not begin to answer', 'firstByteMs')
    return sentence('fell silent in the middle of its answer: nothing came', 'idleMs')
  }

  // As the sink of the parser

  takeHead(status: number, headers: Record<string, string>): void {
    const body = new ResponseBody(this)
    this.#body = body
    this.#readKeepAlive(headers['keep-alive'])
    const encoding = headers['content-encoding']
    if (encoding === undefined) {
      this.#pending?.answer({ status, headers, body })
      return
    }
    const decoded = decodeBody(body, encoding, this.#owner.peer)
    delete headers['content-encoding']
    delete headers['content-length']
    this.#pending?.answer({ status, headers, body: decoded })
  }

  takeBody(part: Uint8Array): void {
    this.#body?.push(part)
  }

  takeEnd(): void {
    this.#body?.finish()
    this.#body = undefined
    this.#pending?.release()
    this.#pending = undefined
  }

  // As the source of the body

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#setDeadline(performance.now() + this.#owner.timeouts.idleMs)
    this.#socket.resume()
  }

  abandon(): void {
    this.#body = undefined
    this.takeEnd()
    this.close()
  }

  // What the socket says

  #read(bytes: Buffer): void {
    if (this.#isClosed) return
    if (!this.#pending) {
      // Nobody asked: a notice before closing (408), or something worse.
      this.close()
      return
    }
    this.#hasAnswerByte = true
    try {
      this.#parser.feed(bytes)
    } catch (error) {
      this.#fail(error as Fault)
      return
    }
    if (this.#parser.isComplete) this.#finishAnswer()
    else if (this.#parser.hasStatus) this.#awaitMore()
  }

  #readEnd(): void {
    if (this.#isClosed) return
    if (this.#pending && this.#canRetry()) {
      this.#handBack(this.#pending)
      return
    }
    try {
      if (this.#pending) this.#parser.end()
      this.close()
    } catch (error) {
      this.#fail(error as Fault)
    }
  }

  #lose(reason: string): void {
    if (this.#isClosed) return
    const { peer } = this.#owner
    if (!this.#pending) this.close()
    else if (this.#canRetry()) this.#handBack(this.#pending)
    else if (this.#hasAnswerByte) this.#fail(new Fault('upstream-failed', `${peer} cut its answer off (${reason})`))
    else this.#fail(new Fault('upstream-failed', `${peer} dropped the connection without an answer (${reason})`))
  }

  /** At the pace of the slower end: the next piece is asked for when the socket has taken the last. */
  async #sendPieces(pending: PendingRequest, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const { idleMs, firstByteMs } = this.#owner.timeouts
    this.#isSending = true
    // While the next piece is made, silence is not the peer's.
    this.#setDeadline(Number.POSITIVE_INFINITY)
    try {
      for await (const piece of pieces) {
        // It has been answered or given up in the meantime.
        if (this.#pending !== pending) return
        this.#setDeadline(performance.now() + idleMs)
        await writeChunk(this.#socket, piece)
        if (this.#pending !== pending) return
        this.#setDeadline(Number.POSITIVE_INFINITY)
      }
    } catch (error) {
      if (this.#pending === pending) this.#fail(toFault(error))
      return
    }
    if (this.#pending !== pending) return
    this.#isSending = false
    writeLastChunk(this.#socket)
    this.#setDeadline(performance.now() + firstByteMs)
  }

  // Its consequences

  #finishAnswer(): void {
    // With bytes still to be written the peer has answered early and does not read the rest of the request.
    if (this.#parser.isReusable && this.#socket.writableLength === 0 && !this.#isSending) this.#owner.takeFree(this)
    else this.close()
  }

  #awaitMore(): void {
    if (this.#body && this.#body.bufferedBytes > pauseAboveBytes) {
      this.#isPaused = true
      this.#socket.pause()
      // While the reader holds the answer up, silence is not the peer's.
      this.#setDeadline(Number.POSITIVE_INFINITY)
    } else {
      this.#setDeadline(performance.now() + this.#owner.timeouts.idleMs)
    }
  }

  /** A request is replaced once at most, since the replacement is the first request of its connection. */
  #canRetry(): boolean {
    return this.#requestCount > 1 && !this.#hasAnswerByte && this.#pending?.pieces === undefined
  }

  #handBack(pending: PendingRequest): void {
    this.#pending = undefined
    // First, so that the place of this connection goes to the request and not to the queue.
    this.#owner.takeUnsent(pending)
    this.close()
  }

  #fail(fault: Fault): void {
    const pending = this.#pending
    const body = this.#body
    this.#pending = undefined
    this.#body = undefined
    this.close()
    // A promise that was fulfilled with the head ignores the rejection.
    pending?.fail(fault)
    body?.fail(fault)
  }

  /** The stage's deadline, or that of the whole when it comes first. */
  #setDeadline(stageMs: number): void {
    this.deadlineMs = Math.min(stageMs, this.#pending?.totalAtMs ?? stageMs)
    this.#owner.deadlines.note(this.deadlineMs)
  }

  /** `keep-alive: timeout=5` says when the peer will close; leave a second for a request that is on its way. */
  #readKeepAlive(value: string | undefined): void {
    const match = value === undefined ? null : /timeout=(\d{1,6})/i.exec(value)
    if (match) this.#keepForMs = Math.min(this.#owner.maxIdleMs, Math.max(0, Number(match[1]) * 1000 - 1000))
  }
}
