import { Fault } from '../../core/fault.ts'
import { parseJsonObject } from '../../core/json.ts'
import type { RelayWatch } from '../wire.ts'

const lf = 0x0a
const cr = 0x0d
const dataField = [0x64, 0x61, 0x74, 0x61, 0x3a, 0x20] // "data: "
const terminator = new TextEncoder().encode('data: [DONE]\n\n')
const errorKey = Buffer.from('"error"')
/** In an event it can only be a key: a quote within text is escaped. */
const usageKey = Buffer.from('"prompt_tokens"')
const maxEventBytes = 4 * 1024 * 1024

/**
 * Passes an upstream's event stream on, byte for byte where it already is what strict clients take: only `data: ` lines, LF, one
 * blank line between events, `[DONE]` at the end. Anything else (comments, `event:` lines, CRLF) is written in that form, and an
 * `error` of null is left out, since the vendor's Go and Java clients take any for a failure.
 * Gives out whole events only, so that an error event can follow at any point. A stream that ends without `[DONE]` gets one; what
 * an upstream does after it, sending more or breaking off, is nothing to the caller any more. What the events tell of usage, and how
 * many they are, goes into the tally.
 */
export async function* relaySse(body: AsyncIterable<Uint8Array>, watch: RelayWatch): AsyncGenerator<Uint8Array> {
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
        const clean = clear(bytes.subarray(0, end), watch)
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
    const clean = clear(tail, watch)
    const done = findTerminatorEnd(clean)
    isDone = done !== undefined
    if (clean.length > 0) yield clean.subarray(0, done)
  }
  if (!isDone) yield terminator
}

/**
 * Passes a stream of named events on as it comes, in whole events, so that an error event can follow at any point. A stream that
 * ends without one of `lastEvents` was cut off: Fault `upstream-failed`.
 */
export async function* relayNamedEvents(
  body: AsyncIterable<Uint8Array>,
  lastEvents: readonly string[],
  watch: RelayWatch,
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
        isDone = lastEvents.some((name) => events.includes(name)) && hasEvent(events.toString(), lastEvents)
        watch.tally.pieces++
        if (events.includes('_tokens"')) noteUsage(events.toString().split('\n'), watch)
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

/**
 * Whether one of these events has such a name, and not only a text that says it. Some servers tell it within the data alone, which clients
 * read too, but for errors.
 */
function hasEvent(events: string, names: readonly string[]): boolean {
  return events.split(/\r?\n/).some((line) => {
    if (line.startsWith('event:')) return names.includes(line.slice('event:'.length).trim())
    if (!line.startsWith('data:') || !names.some((name) => line.includes(`"${name}"`))) return false
    const { type } = parseJsonObject(line.slice('data:'.length)) ?? {}
    return type !== 'error' && names.includes(String(type))
  })
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

/** These events in the strict form, as the caller shall have them. */
function clear(events: Uint8Array, watch: RelayWatch): Uint8Array {
  let bytes = events
  let count = countStrict(bytes)
  if (count === undefined) {
    bytes = rewrite(events)
    count = countStrict(bytes) ?? 0
  }
  watch.tally.pieces += count
  bytes = dropNullErrors(bytes)
  return find(bytes, usageKey) === -1 ? bytes : takeUsage(bytes, watch)
}

/** How many events these are, or undefined when they are not in the strict form. */
function countStrict(bytes: Uint8Array): number | undefined {
  if (bytes.includes(cr)) return undefined
  let at = 0
  let count = 0
  while (at < bytes.length) {
    for (let i = 0; i < dataField.length; i++) if (bytes[at + i] !== dataField[i]) return undefined
    const end = bytes.indexOf(lf, at)
    if (end === -1 || bytes[end + 1] !== lf) return undefined
    at = end + 2
    count++
  }
  return count
}

/** Notes the usage among strict events, and leaves its event out where it is not for the caller. */
function takeUsage(bytes: Uint8Array, watch: RelayWatch): Uint8Array {
  const events = new TextDecoder().decode(bytes).split('\n\n')
  const others = events.filter((event) => !noteUsage([event], watch))
  return watch.dropsUsage && others.length < events.length ? new TextEncoder().encode(others.join('\n\n')) : bytes
}

/** Whether one of these lines tells usage and no part of the answer. */
function noteUsage(lines: readonly string[], { tally, readUsage }: RelayWatch): boolean {
  let isBare = false
  for (const line of lines) {
    if (!line.startsWith('data:') || !line.includes('_tokens"')) continue
    const event = parseJsonObject(line.slice(5))
    const usage = event && readUsage?.(event, tally.usage)
    if (!usage) continue
    tally.usage = usage
    isBare = Array.isArray(event.choices) && event.choices.length === 0
  }
  return isBare
}

/** The position after `[DONE]` among these strict events, if it is there. */
function findTerminatorEnd(bytes: Uint8Array): number | undefined {
  const at = find(bytes, terminator)
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
  if (find(bytes, errorKey) === -1) return bytes
  const events = new TextDecoder().decode(bytes).split('\n\n')
  return new TextEncoder().encode(events.map(dropNullError).join('\n\n'))
}

/** Without a Buffer around the bytes, whose making costs more than the search. */
function find(bytes: Uint8Array, wanted: Uint8Array): number {
  return Buffer.prototype.indexOf.call(bytes, wanted)
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
