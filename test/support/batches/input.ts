import { once } from 'node:events'
import { createWriteStream } from 'node:fs'

export type InputShape = {
  readonly deployment: string
  readonly lines: number
  /** About so many bytes each. */
  readonly lineBytes: number
  /** Begins every custom id and is said to the upstream, so that inputs can be told from each other. */
  readonly prefix: string
}

export const customIdOf = ({ prefix }: Pick<InputShape, 'prefix'>, index: number): string => `${prefix}-${index}`

/** Bytes of a line beside its filler: about. */
const frameBytes = 220

/** Writes the input of a batch of chats, each of which says its custom id first, and gives its size in bytes. */
export async function writeInput(path: string, shape: InputShape): Promise<number> {
  const filler = 'words that fill the prompt of this line, '
  const text = filler
    .repeat(Math.ceil(shape.lineBytes / filler.length))
    .slice(0, Math.max(0, shape.lineBytes - frameBytes))
  const file = createWriteStream(path)
  let bytes = 0
  let waiting: string[] = []
  for (let index = 0; index < shape.lines; index++) {
    const customId = customIdOf(shape, index)
    const messages = [{ role: 'user', content: `${customId} ${text}` }]
    const body = { model: shape.deployment, messages, max_tokens: 64 }
    const line = `${JSON.stringify({ custom_id: customId, method: 'POST', url: '/v1/chat/completions', body })}\n`
    bytes += Buffer.byteLength(line)
    waiting.push(line)
    if (waiting.length < 500) continue
    if (!file.write(waiting.join(''))) await once(file, 'drain')
    waiting = []
  }
  file.end(waiting.join(''))
  await once(file, 'finish')
  return bytes
}
