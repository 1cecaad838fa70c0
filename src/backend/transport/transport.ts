/**
 * One HTTP/1.1 request to an upstream. `path` includes the query; `headers` hold neither `host` nor `content-length`. A body in
 * pieces goes out as they come, chunked; it is read once, and not before there is a connection.
 */
export type UpstreamRequest = {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | AsyncIterable<Uint8Array> | undefined
}

export type UpstreamResponse = {
  readonly status: number
  /** Names in lower case; a repeated header is joined with ", ". */
  readonly headers: Readonly<Record<string, string>>
  /**
   * The decoded body. Reading drives the socket: a reader that stops stops the upstream. Ends normally only when the message
   * was complete; a cut rejects with Fault `upstream-failed`, silence longer than `idleMs` with `upstream-timeout`.
   * Leaving the loop early closes the connection.
   */
  readonly body: AsyncIterable<Uint8Array>
}

/**
 * Milliseconds. `firstByteMs` runs from the request being written to the status line, `totalMs` over everything. `idleMs` bounds
 * the silence within an answer, and how long a peer may take nothing of a body in pieces.
 */
export type Timeouts = {
  readonly connectMs: number
  readonly firstByteMs: number
  readonly idleMs: number
  readonly totalMs: number
}

/** A pool of keep-alive connections to one origin. */
export type Transport = {
  /**
   * Sends the request. Rejects with Fault `upstream-unavailable` (no connection, refused address, TLS), `upstream-busy` (no
   * connection came free), `upstream-timeout` or `upstream-failed` (answer that is not HTTP). Aborting the signal closes the connection and rejects with `client-gone`.
   * A pooled connection the peer had dropped is replaced once, if no byte of an answer had come. A body in pieces cannot be sent
   * twice: it is given a new connection while there is room, and what it rejects with rejects the request.
   */
  request(request: UpstreamRequest, signal: AbortSignal): Promise<UpstreamResponse>
  /** Closes idle connections; requests finish, also those still to come, and no connection is kept after them. */
  close(): void
}
