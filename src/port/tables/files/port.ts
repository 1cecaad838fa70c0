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
  /** How long the file is to last, once it is there. */
  readonly fileLastsMs?: number | undefined
}

export type UploadPartRow = {
  readonly id: string
  readonly uploadId: string
  readonly bytes: number
  readonly createdAt: number
}

/** A page of a list: newest first for `desc`. `after` is the id of the last one that was seen. */
export type PageOf = { readonly limit: number; readonly order: 'asc' | 'desc'; readonly after?: string | undefined }

/** Files that an owner has, for quotas: without a time to expire, and with one. */
export type FileSum = { readonly lasting: number; readonly expiring: number; readonly bytes: number }

/** Files go in the order of their ids, which begin with the time of their making: a page can begin after one that is no longer there. */
export type FilesTable = {
  /** In place of the one that has its id, if there is one. */
  add(file: FileRow): Promise<void>
  get(id: string): Promise<FileRow | undefined>
  /** Those of an owner (all owners when absent) that have not expired by `now` and are not being deleted; one more than `limit` where there are more. */
  list(
    filter: { readonly owner?: string | undefined; readonly purpose?: string | undefined; readonly now: number },
    page: PageOf,
  ): Promise<FileRow[]>
  /** Changes what is given. Whether it was there. */
  update(
    id: string,
    change: Partial<Pick<FileRow, 'status' | 'statusDetails' | 'bytes' | 'expiresAt'>>,
  ): Promise<boolean>
  /** Whether it was there. */
  delete(id: string): Promise<boolean>
  /** Of these purposes. */
  sum(owner: string, purposes: readonly string[]): Promise<FileSum>
  /** Of all owners, those not counted that are being deleted. */
  sumAll(): Promise<{ readonly files: number; readonly bytes: number }>
  /** Those that have expired by then, and those whose deletion was begun and not ended: oldest first, from `after` on. */
  listRemovable(now: number, limit: number, after?: string): Promise<FileRow[]>

  addUpload(upload: UploadRow): Promise<void>
  getUpload(id: string): Promise<UploadRow | undefined>
  /** Only from `pending`, so that of two callers one wins. Whether it did. */
  endUpload(id: string, status: 'cancelled' | 'expired'): Promise<boolean>
  /** The same, with the file that it became: both or neither. */
  completeUpload(id: string, file: FileRow): Promise<boolean>
  /** Uploads of an owner that are pending and have not expired, and what their files shall come to. */
  sumUploads(owner: string, now: number): Promise<{ readonly uploads: number; readonly bytes: number }>
  /** In whatever state, oldest first, from `after` on. */
  listExpiredUploads(now: number, limit: number, after?: string): Promise<UploadRow[]>
  /** Only while the upload is pending. Whether it was. */
  addPart(part: UploadPartRow): Promise<boolean>
  /** In the order in which they came. */
  listParts(uploadId: string): Promise<UploadPartRow[]>
  sumParts(uploadId: string): Promise<{ readonly parts: number; readonly bytes: number }>
  /** With its parts. */
  deleteUpload(id: string): Promise<void>
}
