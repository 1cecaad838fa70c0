import { Fault } from '../../../core/fault.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import type { RunWorld } from '../parts.ts'

/**
 * Puts the content of files in the place of their ids, since no upstream knows the files of this server. Rejects with Fault
 * `invalid-request` for one that is not there.
 */
export async function resolveFiles(
  input: readonly JsonObject[],
  owner: string,
  world: Pick<RunWorld, 'readFile' | 'settings'>,
): Promise<readonly JsonObject[]> {
  if (!input.some(({ content, output }) => namesFile(content) || namesFile(output))) return input
  return Promise.all(
    input.map(async (item) => ({
      ...item,
      ...(namesFile(item.content) && { content: await resolveParts(item.content, owner, world) }),
      ...(namesFile(item.output) && { output: await resolveParts(item.output, owner, world) }),
    })),
  )
}

function isFilePart(part: Json): part is JsonObject {
  return (
    isJsonObject(part) &&
    (part.type === 'input_image' || part.type === 'input_file') &&
    typeof part.file_id === 'string'
  )
}

function namesFile(content: Json | undefined): content is Json[] {
  return Array.isArray(content) && content.some(isFilePart)
}

async function resolveParts(
  parts: readonly Json[],
  owner: string,
  { readFile, settings }: Pick<RunWorld, 'readFile' | 'settings'>,
): Promise<Json[]> {
  if (!readFile) return [...parts]
  return Promise.all(
    parts.map(async (part) => {
      if (!isFilePart(part)) return part
      const { file_id: id, ...rest } = part
      const file = await readFile(owner, String(id), settings.maxFileBytes)
      if (!file) {
        throw new Fault(
          'invalid-request',
          `There is no file ${JSON.stringify(String(id).slice(0, 64))}, which a message of this conversation has.`,
          {
            param: 'file_id',
          },
        )
      }
      const data = `data:${file.type};base64,${Buffer.from(file.bytes).toString('base64')}`
      return rest.type === 'input_image'
        ? { ...rest, image_url: data }
        : { ...rest, filename: rest.filename ?? file.filename, file_data: data }
    }),
  )
}
