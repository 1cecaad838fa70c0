import { Fault } from '../../core/fault.ts'
import { openaiChatServer } from '../../wire/openai-chat/server.ts'
import { openaiCompletionsServer } from '../../wire/openai-completions/server.ts'
import { openaiEmbeddingsServer } from '../../wire/openai-embeddings/server.ts'
import { openaiResponsesServer } from '../../wire/openai-responses/server.ts'
import type { ServerEnd } from '../../wire/wire.ts'

/** An operation that lines can ask for: its path without the version, and the protocol end that reads its requests and writes its answers. */
export type BatchEndpoint = { readonly path: string; readonly end: ServerEnd }

/** All that is offered, and the one list of it: validation, the lines and what is refused go by it. */
const endpoints: readonly BatchEndpoint[] = [
  { path: '/chat/completions', end: openaiChatServer },
  { path: '/completions', end: openaiCompletionsServer },
  { path: '/embeddings', end: openaiEmbeddingsServer },
  { path: '/responses', end: openaiResponsesServer },
]

/** With or without `/v1`: callers of either surface write the one or the other. */
export function findEndpoint(url: string): BatchEndpoint | undefined {
  const path = url.startsWith('/v1/') ? url.slice('/v1'.length) : url
  return endpoints.find((endpoint) => endpoint.path === path)
}

/** Throws Fault `invalid-request`. */
export function readEndpoint(url: string): BatchEndpoint {
  const found = findEndpoint(url)
  if (found) return found
  const all = endpoints.map(({ path }) => `"${path}", "/v1${path}"`).join(', ')
  throw new Fault(
    'invalid-request',
    `Invalid value for 'endpoint': got ${JSON.stringify(url.slice(0, 64))}, expected one of ${all}.`,
    { param: 'endpoint' },
  )
}
