/** A file that a caller uploaded, or that work for him made. Its content is the blob `files/<id>`. Times are unix milliseconds. */
export type FileRow = {
  readonly id: string
  /** The name of the key that owns it; others do not see it. */
  readonly owner: string
  readonly filename: string
  readonly purpose: string
  readonly bytes: number
  readonly status: 'uploaded' | 'pending' | 'running' | 'processed' | 'error' | 'deleting' | 'deleted'
  readonly statusDetails?: string | undefined
  readonly createdAt: number
  readonly expiresAt?: number | undefined
}

/** A file that comes in parts. The parts are blobs `uploads/<id>/<part id>`. */
export type UploadRow = {
  readonly id: string
  readonly owner: string
  readonly filename: string
  readonly purpose: string
  /** What the parts shall come to. */
  readonly bytes: number
  readonly mimeType: string
  readonly status: 'pending' | 'completed' | 'cancelled' | 'expired'
  readonly fileId?: string | undefined
  readonly createdAt: number
  readonly expiresAt: number
}

export type UploadPartRow = {
  readonly id: string
  readonly uploadId: string
  readonly bytes: number
  readonly createdAt: number
}

/** A page of a list: newest first for `desc`. `after` is the id of the last one that was seen. */
export type PageOf = { readonly limit: number; readonly order: 'asc' | 'desc'; readonly after?: string | undefined }

export type FilesTable = {
  add(file: FileRow): Promise<void>
  get(id: string): Promise<FileRow | undefined>
  /** Those of an owner (all owners when absent), one more than `limit` where there are more. */
  list(
    filter: { readonly owner?: string | undefined; readonly purpose?: string | undefined },
    page: PageOf,
  ): Promise<FileRow[]>
  /** Changes what is given. Whether it was there. */
  update(
    id: string,
    change: Partial<Pick<FileRow, 'status' | 'statusDetails' | 'bytes' | 'expiresAt'>>,
  ): Promise<boolean>
  /** Whether it was there. */
  delete(id: string): Promise<boolean>
  /** Files and bytes that an owner has, for quotas. */
  sum(owner: string): Promise<{ readonly files: number; readonly bytes: number }>
  /** Those that have expired by then, oldest first. */
  listExpired(now: number, limit: number): Promise<FileRow[]>

  addUpload(upload: UploadRow): Promise<void>
  getUpload(id: string): Promise<UploadRow | undefined>
  /** Only from `pending`, so that of two callers one wins. Whether it did. */
  endUpload(id: string, status: 'completed' | 'cancelled' | 'expired', fileId?: string): Promise<boolean>
  listExpiredUploads(now: number, limit: number): Promise<UploadRow[]>
  addPart(part: UploadPartRow): Promise<void>
  listParts(uploadId: string): Promise<UploadPartRow[]>
  deleteUpload(id: string): Promise<void>
}
