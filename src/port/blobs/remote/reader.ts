import { checkBlobKey } from '../keys.ts'
import type { Blobs } from '../port.ts'
import { readRanges } from './read-ranges.ts'
import type { Sender } from './send-request.ts'

export type RemoteReader = Pick<Blobs, 'size' | 'read'> & {
  /** The path of a blob in requests. Throws for what is no key. */
  pathOf(key: string): string
}

/** What S3 and Azure Blob have in common: a blob is what lies at a path, read by HEAD and GET. `pathOf` is that of a name in the store. */
export function createRemoteReader(
  send: Sender,
  prefix: string,
  { pathOf: pathOfName }: { pathOf(name: string): string },
): RemoteReader {
  const pathOf = (key: string): string => {
    checkBlobKey(key)
    return pathOfName(prefix + key)
  }
  const size = async (key: string): Promise<number | undefined> => {
    const { status, headers } = await send({ method: 'HEAD', path: pathOf(key) }, [200, 404])
    return status === 404 ? undefined : Number(headers.get('content-length'))
  }
  return {
    pathOf,
    size,
    read(key, range = { start: 0 }) {
      const get = (headers: Readonly<Record<string, string>>) =>
        send({ method: 'GET', path: pathOf(key), headers }, [200, 206, 404, 412, 416])
      return readRanges({ get, size: () => size(key) }, range)
    },
  }
}
