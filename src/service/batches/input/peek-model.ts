import { isJsonObject, parseJsonObject } from '../../../core/json.ts'
import type { BatchFiles } from '../parts.ts'
import { toText } from './check-line.ts'

/** A first line longer than this is left to validation. */
const mostBytes = 64 * 1024

/** The model that the first line of an input names, if it is soon found: to tell of its quota before everything has been read. */
export async function peekModel(
  files: Pick<BatchFiles, 'read'>,
  id: string,
  fileBytes: number,
): Promise<string | undefined> {
  const pieces: Uint8Array[] = []
  for await (const piece of files.read(id, { start: 0, end: Math.min(fileBytes, mostBytes) })) pieces.push(piece)
  const [first = '', ...others] = toText(Buffer.concat(pieces)).trimStart().split('\n', 2)
  if (others.length === 0 && fileBytes > mostBytes) return undefined
  const body = parseJsonObject(first)?.body
  const model = isJsonObject(body) ? body.model : undefined
  return typeof model === 'string' ? model : undefined
}
