import type { JsonObject } from '../../../core/json.ts'
import type { ItemRow } from '../../../port/tables/runs/port.ts'
import { besideOf } from '../kept-beside.ts'
import { countCharacters } from './marks.ts'

export type MadeFile = {
  readonly fileId: string
  readonly filename: string
  readonly isImage: boolean
  readonly containerId: string
}

/** Files that tools have made since the last message before the item at `end`. */
export function filesSince(made: readonly ItemRow[], end = made.length): readonly MadeFile[] {
  const files: MadeFile[] = []
  for (let i = end - 1; i >= 0; i--) {
    const item = made[i] as ItemRow
    if (item.type === 'message') break
    const { call } = besideOf(item)
    if (!call?.files) continue
    const { container_id: id } = item.document
    const containerId = typeof id === 'string' ? id : ''
    files.unshift(...call.files.map((file) => ({ ...file, containerId })))
  }
  return files
}

/** As annotations of the message that follows: at the place where its text names the file, else at its end. */
export function annotateFiles(files: readonly MadeFile[], text: string): JsonObject[] {
  return files.map(({ fileId, filename, containerId }) => {
    const named = `sandbox:/mnt/data/${filename}`
    const at = text.indexOf(named)
    const start = countCharacters(at < 0 ? text : text.slice(0, at))
    return {
      type: 'container_file_citation',
      container_id: containerId,
      file_id: fileId,
      filename,
      start_index: start,
      end_index: at < 0 ? start : start + countCharacters(named),
    }
  })
}
