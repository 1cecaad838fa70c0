import { Fault } from '../../core/fault.ts'

/** The store cannot be used. `cause` is for the log: it names no secret. */
export function storageUnavailable(cause: unknown): Fault {
  return new Fault('storage-unavailable', 'The storage of the server cannot be used at the moment.', { cause })
}

export function diskFull(cause: unknown): Fault {
  return new Fault('storage-unavailable', 'The disk of the server is full.', { status: 507, cause })
}

export function blobNotFound(): Fault {
  return new Fault('not-found', 'There is no content of that name.')
}
