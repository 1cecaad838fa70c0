import type { JsonObject } from '../../core/json.ts'
import type { FileRow, UploadPartRow, UploadRow } from '../../port/tables/files/port.ts'

/** As OpenAI and Azure OpenAI show files and uploads: times are unix seconds. */
const seconds = (ms: number): number => Math.floor(ms / 1000)

export function writeFile(file: FileRow): JsonObject & { id: string } {
  return {
    object: 'file',
    id: file.id,
    purpose: file.purpose,
    filename: file.filename,
    bytes: file.bytes,
    created_at: seconds(file.createdAt),
    ...(file.expiresAt !== undefined && { expires_at: seconds(file.expiresAt) }),
    status: file.status,
    ...(file.statusDetails !== undefined && { status_details: file.statusDetails }),
  }
}

export function writeUpload(upload: UploadRow, file?: FileRow): JsonObject {
  return {
    object: 'upload',
    id: upload.id,
    purpose: upload.purpose,
    filename: upload.filename,
    bytes: upload.bytes,
    created_at: seconds(upload.createdAt),
    expires_at: seconds(upload.expiresAt),
    status: upload.status,
    file: file ? writeFile(file) : null,
  }
}

/** Azure names the block besides: any text that stands for the part. */
export function writePart(part: UploadPartRow, surface: 'dated' | 'v1'): JsonObject {
  return {
    object: 'upload.part',
    id: part.id,
    upload_id: part.uploadId,
    created_at: seconds(part.createdAt),
    ...(surface === 'dated' && { azure_block_id: Buffer.from(part.id).toString('base64') }),
  }
}
