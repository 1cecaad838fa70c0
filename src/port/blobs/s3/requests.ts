import { encodeQuery, encodeStrictly } from '../remote/encode.ts'
import type { RemoteAnswer, RemoteRequest } from '../remote/send-request.ts'
import { textOf, wordOf } from '../remote/xml.ts'
import type { S3Options } from './create-s3-blobs.ts'
import { signS3Request } from './sign.ts'

export type S3Requests = {
  /** The path of an object of that name in the bucket; of the bucket itself for ''. */
  pathOf(name: string): string
  /** The same object as the source of a copy. */
  sourceOf(name: string): string
  sign(request: RemoteRequest): { url: string; headers: Record<string, string> }
  errorCodeOf(answer: RemoteAnswer): string | undefined
}

type Placed = Pick<S3Options, 'bucket' | 'credentials' | 'endpoint' | 'isPathStyle' | 'region'>

/** How requests to a bucket look: where it is, and how they are signed. */
export function createS3Requests({ bucket, credentials, endpoint, isPathStyle, region }: Placed): S3Requests {
  const base = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`)
  const isInPath = isPathStyle ?? endpoint !== undefined
  const host = isInPath ? base.host : `${bucket}.${base.host}`
  const root = base.pathname.replace(/\/$/, '') + (isInPath ? `/${bucket}` : '')
  const isSecure = base.protocol === 'https:'
  const nothing = new Uint8Array()
  const encodePath = (name: string): string => name.split('/').map(encodeStrictly).join('/')
  return {
    pathOf: (name) => `${root}/${encodePath(name)}`,
    sourceOf: (name) => `/${bucket}/${encodePath(name)}`,
    sign({ method, path, query = {}, headers = {}, body = nothing }) {
      const signed = signS3Request(credentials, {
        method,
        host,
        path,
        query,
        headers,
        // Over TLS nobody can change it on the way, and hashing 8 MiB would hold up everything else on the thread.
        body: isSecure && body.byteLength > 0 ? undefined : body,
        region,
        now: Date.now(),
      })
      const search = encodeQuery(query)
      return { url: `${base.protocol}//${host}${path}${search && `?${search}`}`, headers: signed }
    },
    errorCodeOf({ status, body }) {
      // What is in a blob is not for reading.
      if (status === 206 || body.byteLength > 64 * 1024) return undefined
      const text = new TextDecoder().decode(body)
      if (!/^\s*(?:<\?xml[^>]*>\s*)?<Error[\s>]/.test(text)) return undefined
      return wordOf(text, 'Code') ?? (textOf(text, 'Code') === undefined ? undefined : 'Error')
    },
  }
}
