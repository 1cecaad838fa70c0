import { Fault } from '../../core/fault.ts'

const maxEventBytes = 4 * 1024 * 1024

/**
 * The `data` of each event of a Server-Sent Events body, whatever way the bytes are cut: LF, CRLF or CR, a byte order mark,
 * comments, several data lines. Ends at `[DONE]` or at the end of the body. Spec: WHATWG HTML, section 9.2.
 */
export async function* readSseData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let buffer = ''
  let data: string | undefined
  let isFirst = true
  const feed = function* (isLast: boolean): Generator<string> {
    let from = 0
    for (;;) {
      const end = lineEnd(buffer, from, isLast)
      if (end === undefined) break
      const line = buffer.slice(from, end.at)
      from = end.next
      if (line === '') {
        if (data !== undefined) yield data
        data = undefined
      } else if (line.startsWith('data:')) {
        const value = line.slice(line.charCodeAt(5) === 0x20 ? 6 : 5)
        data = data === undefined ? value : `${data}\n${value}`
      }
    }
    buffer = buffer.slice(from)
    if (buffer.length + (data?.length ?? 0) > maxEventBytes) {
      throw new Fault('upstream-failed', `The backend sent an event of more than ${maxEventBytes} bytes.`)
    }
  }
  for await (const chunk of body) {
    buffer += decoder.decode(chunk, { stream: true })
    if (isFirst && buffer !== '') {
      isFirst = false
      if (buffer.charCodeAt(0) === 0xfeff) buffer = buffer.slice(1)
    }
    for (const value of feed(false)) {
      if (value === '[DONE]') return
      yield value
    }
  }
  buffer += `${decoder.decode()}\n\n`
  for (const value of feed(true)) {
    if (value === '[DONE]') return
    yield value
  }
}

/** Where the line beginning at `from` ends and the next begins. A CR at the very end may be half of a CRLF: wait for more. */
function lineEnd(buffer: string, from: number, isLast: boolean): { at: number; next: number } | undefined {
  const lf = buffer.indexOf('\n', from)
  const cr = buffer.indexOf('\r', from)
  if (cr === -1 || (lf !== -1 && lf < cr)) return lf === -1 ? undefined : { at: lf, next: lf + 1 }
  if (cr === buffer.length - 1 && !isLast) return undefined
  return { at: cr, next: buffer.charCodeAt(cr + 1) === 0x0a ? cr + 2 : cr + 1 }
}
