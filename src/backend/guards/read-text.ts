import { Fault } from '../../core/fault.ts'

/** A body as text. Rejects with Fault `upstream-failed` for one of more than `limit` bytes, and with what the body rejects with. */
export async function readText(body: AsyncIterable<Uint8Array>, limit: number): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for await (const bytes of body) {
    length += bytes.length
    if (length > limit) throw new Fault('upstream-failed', `the answer is longer than ${limit} bytes`)
    text += decoder.decode(bytes, { stream: true })
  }
  return text + decoder.decode()
}
