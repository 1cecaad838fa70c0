import { Fault } from '../core/fault.ts'

const lf = 0x0a
const cr = 0x0d
const dataField = [0x64, 0x61, 0x74, 0x61, 0x3a, 0x20] // "data: "
const terminator = new TextEncoder().encode('data: [DONE]\n\n')
const errorKey = Buffer.from('"error"')
const maxEventBytes = 4 * 1024 * 1024

/**
 * Passes an upstream's event stream on, byte for byte where it already is what strict clients take: only `data: ` lines, LF, one
 * blank line between events, `[DONE]` at the end. Anything else (comments, `event:` lines, CRLF) is written in that form, and an
 * `error` of null is left out, since the vendor's Go and Java clients take any for a failure.
 * Gives out whole events only, so that an error event can follow at any point. A stream that ends without `[DONE]` gets one; what
 * an upstream does after it, sending more or breaking off, is nothing to the caller any more.
 */
export async function* relaySse(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let tail: Uint8Array | undefined
  let isFirst = true
  let isDone = false
  try {
    for await (const chunk of body) {
      // Read to its end all the same, so that the connection can be used again.
      if (isDone) continue
      let bytes = tail ? join(tail, chunk) : chunk
      if (isFirst && bytes.length >= 3) {
        isFirst = false
        if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3)
      }
      const end = lastEventEnd(bytes)
      if (end > 0) {
        const events = bytes.subarray(0, end)
        const clean = dropNullErrors(isStrict(events) ? events : rewrite(events))
        const done = findTerminatorEnd(clean)
        isDone = done !== undefined
        if (clean.length > 0) yield done === undefined ? clean : clean.subarray(0, done)
      }
      // The transport may reuse its buffer, so what waits for the next chunk is copied.
      tail = end < bytes.length ? bytes.slice(end) : undefined
      refuseLongEvent(tail)
    }
  } catch (error) {
    if (!isDone) throw error
  }
  if (tail && !isDone) {
    const clean = dropNullErrors(rewrite(tail))
    const done = findTerminatorEnd(clean)
    isDone = done !== undefined
    if (clean.length > 0) yield clean.subarray(0, done)
  }
  if (!isDone) yield terminator
}

/**
 * Passes a stream of named events on as it comes, in whole events, so that an error event can follow at any point. A stream that
 * ends without its last event, or an error instead of it, was cut off: Fault `upstream-failed`.
 */
export async function* relayNamedEvents(
  body: AsyncIterable<Uint8Array>,
  lastEvent: string,
): AsyncGenerator<Uint8Array> {
  let tail: Uint8Array | undefined
  let isDone = false
  try {
    for await (const chunk of body) {
      if (isDone) continue
      const bytes = tail ? join(tail, chunk) : chunk
      const end = lastEventEnd(bytes)
      if (end > 0) {
        const events = Buffer.from(bytes.buffer, bytes.byteOffset, end)
        isDone = events.includes(`event: ${lastEvent}`) || events.includes('event: error')
        yield events
      }
      tail = end < bytes.length ? bytes.slice(end) : undefined
      refuseLongEvent(tail)
    }
  } catch (error) {
    if (!isDone) throw error
  }
  if (!isDone) throw new Fault('upstream-failed', "The backend's stream ended before its answer did.")
}

function refuseLongEvent(tail: Uint8Array | undefined): void {
  if (!tail || tail.length <= maxEventBytes) return
  throw new Fault('upstream-failed', `The backend sent an event of more than ${maxEventBytes} bytes.`)
}

function join(head: Uint8Array, rest: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(head.length + rest.length)
  bytes.set(head)
  bytes.set(rest, head.length)
  return bytes
}

/** The position after the last blank line, or 0. */
function lastEventEnd(bytes: Uint8Array): number {
  let at = bytes.lastIndexOf(lf)
  while (at > 0) {
    const before = bytes[at - 1]
    if (before === lf || (before === cr && at > 1 && bytes[at - 2] === lf)) return at + 1
    at = bytes.lastIndexOf(lf, at - 1)
  }
  return 0
}

function isStrict(bytes: Uint8Array): boolean {
  if (bytes.includes(cr)) return false
  let at = 0
  while (at < bytes.length) {
    for (let i = 0; i < dataField.length; i++) if (bytes[at + i] !== dataField[i]) return false
    const end = bytes.indexOf(lf, at)
    if (end === -1 || bytes[end + 1] !== lf) return false
    at = end + 2
  }
  return true
}

/** The position after `[DONE]` among these strict events, if it is there. */
function findTerminatorEnd(bytes: Uint8Array): number | undefined {
  const at = Buffer.prototype.indexOf.call(bytes, terminator)
  return at === -1 ? undefined : at + terminator.length
}

function rewrite(bytes: Uint8Array): Uint8Array {
  let text = ''
  for (const event of new TextDecoder().decode(bytes).split(/(?:\r\n|\n|\r(?!\n)){2}/)) {
    const data = event
      .split(/\r\n|\n|\r/)
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(line.charCodeAt(5) === 0x20 ? 6 : 5))
    // A line break within data is white space between JSON tokens, so one line says the same.
    if (data.length > 0) text += `data: ${data.join(' ')}\n\n`
  }
  return new TextEncoder().encode(text)
}

/** Events in the strict form, without a top-level `error` that is null. Parses only events in which the key occurs. */
function dropNullErrors(bytes: Uint8Array): Uint8Array {
  // Without a Buffer around the bytes, whose making costs more than the search.
  if (Buffer.prototype.indexOf.call(bytes, errorKey) === -1) return bytes
  const events = new TextDecoder().decode(bytes).split('\n\n')
  return new TextEncoder().encode(events.map(dropNullError).join('\n\n'))
}

function dropNullError(event: string): string {
  if (!event.includes('"error"')) return event
  try {
    const chunk = JSON.parse(event.slice(dataField.length))
    if (chunk?.error !== null) return event
    const { error: _, ...rest } = chunk
    return `data: ${JSON.stringify(rest)}`
  } catch {
    return event
  }
}
