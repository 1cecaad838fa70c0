import { isJsonObject, type JsonObject, parseJsonObject } from '../../core/json.ts'

/** The JSON objects of an event stream; what else stands in it (comments that keep it alive) is passed over. */
export async function* readEvents(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<JsonObject, undefined> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const bytes of pieces) {
    const blocks = (text + decoder.decode(bytes, { stream: true })).split('\n\n')
    text = blocks.pop() as string
    for (const block of blocks) {
      const event = parseJsonObject(block.replace(/^data: /, ''))
      if (isJsonObject(event)) yield event
    }
  }
}
