/** What a resource answers with; `body` is written as JSON. */
export type Answer = {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** No cache may keep what may hold a key. There are no CORS headers here, and must never be: pages of other origins have no business. */
export function writeAnswer({ status, body, headers }: Answer): Response {
  const common = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...headers }
  if (body === undefined) return new Response(null, { status, headers: common })
  return new Response(JSON.stringify(body), { status, headers: { ...common, 'content-type': 'application/json' } })
}
