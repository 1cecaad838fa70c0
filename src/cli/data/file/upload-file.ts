import { basename } from 'node:path'
import type { CommandContext } from '../../context.ts'
import type { DataClient } from '../data-client.ts'
import type { FileItem } from './file-item.ts'
import { readFilePieces } from './local-file.ts'
import { showTransfer } from './transfer.ts'

export type Upload = {
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly purpose: string
  /** In seconds from now; absent: as long as it is not deleted. */
  readonly lastsS?: number | undefined
  /** In place of what is in the file; of about the same length. */
  readonly content?: AsyncIterable<Uint8Array> | undefined
}

const mib = 1024 * 1024
/** The server takes larger ones in parts only. */
const mostAtOnce = 512 * mib
const partBytes = 64 * mib

/** Sends a file while it is read, and shows how far that is. */
export async function uploadFile(context: CommandContext, client: DataClient, upload: Upload): Promise<FileItem> {
  const { path, size, purpose, lastsS, content } = upload
  const name = basename(path)
  if (size > mostAtOnce && !content) return uploadParts(context, client, upload, name)
  const fields = {
    purpose,
    ...(lastsS !== undefined && {
      'expires_after[anchor]': 'created_at',
      'expires_after[seconds]': String(lastsS),
    }),
  }
  const pieces = showTransfer(context, `Uploading ${name}`, size, content ?? readFilePieces(path))
  return client.upload<FileItem>('files', fields, 'file', { name, content: pieces })
}

async function uploadParts(
  context: CommandContext,
  client: DataClient,
  { path, size, purpose, lastsS }: Upload,
  name: string,
): Promise<FileItem> {
  const { id } = await client.call<{ id: string }>('uploads', {
    method: 'POST',
    body: {
      filename: name,
      purpose,
      bytes: size,
      mime_type: 'application/octet-stream',
      ...(lastsS !== undefined && { expires_after: { anchor: 'created_at', seconds: lastsS } }),
    },
  })
  const parts: string[] = []
  try {
    for (let start = 0; start < size; start += partBytes) {
      const end = Math.min(size, start + partBytes)
      const what = `Uploading ${name}, part ${parts.length + 1} of ${Math.ceil(size / partBytes)}`
      const pieces = showTransfer(context, what, end - start, readFilePieces(path, start, end))
      const part = await client.upload<{ id: string }>(`uploads/${id}/parts`, {}, 'data', { name, content: pieces })
      parts.push(part.id)
    }
    const done = { method: 'POST', body: { part_ids: parts } } as const
    return (await client.call<{ file: FileItem }>(`uploads/${id}/complete`, done)).file
  } catch (error) {
    // Else the parts would count for an hour. That they cannot be taken back is not what went wrong.
    await client.call(`uploads/${id}/cancel`, { method: 'POST', body: {} }).catch(() => {})
    throw error
  }
}
