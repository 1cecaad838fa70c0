/** What a resource answers with; `body` is written as JSON. */
export type Answer = {
  readonly status: number
  readonly body?: unknown
  /** In place of a body: an event stream, in pieces that are ready to be sent. It ends soon after the signal of the request was aborted. */
  readonly events?: AsyncIterable<string>
  readonly headers?: Readonly<Record<string, string>>
}

/** No cache may keep what may hold a key. There are no CORS headers here, and must never be: pages of other origins have no business. */
export function writeAnswer({ status, body, events, headers }: Answer): Response {
  const common = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...headers }
  if (events) {
    return new Response(events as unknown as BodyInit, {
      status,
      headers: { ...common, 'content-type': 'text/event-stream' },
    })
  }
  if (body === undefined) return new Response(null, { status, headers: common })
  return new Response(JSON.stringify(body), { status, headers: { ...common, 'content-type': 'application/json' } })
}
