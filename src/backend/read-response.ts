import type { Call } from '../core/call.ts'
import { Fault } from '../core/fault.ts'
import { type JsonObject, parseJsonObject } from '../core/json.ts'
import type { Reply } from '../core/reply.ts'
import type { Tally } from '../core/usage/tally.ts'
import type { ClientEnd } from '../wire/wire.ts'
import type { UpstreamResponse } from './transport/transport.ts'

/** Of an answer, and of what an upstream says of an error. */
const maxAnswerBytes = 64 * 1024 * 1024
const maxErrorBytes = 64 * 1024

/** A whole answer: the upstream's own bytes where the caller may have them. Throws Fault `upstream-failed` for what is none. */
export function readWhole(body: Uint8Array, end: ClientEnd, call: Call, mayRelay: boolean, tally: Tally): Reply {
  // Also what is relayed is parsed: broken JSON is a failure of this backend, and another one may do better.
  const answer = parseAnswer(body)
  const isRelay = mayRelay && body[0] === 0x7b && (end.canRelay?.(body, call) ?? true)
  if (isRelay) {
    tally.usage = end.readUsage?.(answer)
    return { kind: 'bytes', wire: end.wire, body }
  }
  return { kind: 'whole', result: end.readResult(answer, call) }
}

const decoder = new TextDecoder()

export function parseAnswer(body: Uint8Array): JsonObject {
  const answer = parseJsonObject(decoder.decode(body))
  if (!answer) throw new Fault('upstream-failed', "The backend's answer is not a JSON object.")
  return answer
}

/** Shorter ones are words that may stand in any message. */
const minSecretLength = 8

/** Some upstreams repeat the credential they refuse; it goes no further. */
export function redact(text: string, credential = ''): string {
  return credential.length >= minSecretLength ? text.replaceAll(credential, '[redacted]') : text
}

/** What an upstream's refusal means, with the time to wait where it says one. */
export async function readRefusal(
  response: UpstreamResponse,
  readFault: ClientEnd['readFault'],
  credential?: string,
): Promise<Fault> {
  const said = new TextDecoder().decode(await readBytes(response.body, maxErrorBytes))
  return readFault(response.status, readRetryAfter(response.headers), redact(said, credential))
}

/** Milliseconds from whichever of the three headers the upstream sent. `Retry-After` may be a date. */
function readRetryAfter(headers: Readonly<Record<string, string>>): number | undefined {
  const ms = Number(headers['retry-after-ms'] ?? headers['x-ms-retry-after-ms'] ?? Number.NaN)
  if (Number.isFinite(ms)) return ms
  const after = headers['retry-after']
  if (after === undefined) return undefined
  const seconds = Number(after)
  if (Number.isFinite(seconds)) return seconds * 1000
  const date = Date.parse(after)
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now())
}

/** Rejects with Fault `upstream-failed` for more than the limit. */
export async function readBytes(body: AsyncIterable<Uint8Array>, limit = maxAnswerBytes): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > limit) throw new Fault('upstream-failed', `The backend's answer is longer than ${limit} bytes.`)
    chunks.push(chunk.slice())
  }
  if (chunks.length === 1) return chunks[0] as Uint8Array
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
