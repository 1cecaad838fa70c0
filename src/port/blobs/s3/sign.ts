import { createHash, createHmac } from 'node:crypto'
import { encodeQuery } from '../remote/encode.ts'

export type S3Credentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary keys. */
  readonly sessionToken?: string | undefined
}

export type UnsignedRequest = {
  readonly method: string
  /** As written in URLs by `host:port`, the port left out where it is the usual one. */
  readonly host: string
  /** As sent, without query. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** In lower case; all of them are signed. */
  readonly headers: Readonly<Record<string, string>>
  /** undefined where the connection vouches for it, and hashing it is not worth its time. */
  readonly body: Uint8Array | undefined
  readonly region: string
  /** Milliseconds since 1970. */
  readonly now: number
}

/**
 * The headers of a request to S3 with those of its signature, version 4, but without `host`, which the request must have.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function signS3Request(
  { accessKeyId, secretAccessKey, sessionToken }: S3Credentials,
  { method, host, path, query, headers, body, region, now }: UnsignedRequest,
): Record<string, string> {
  const time = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const date = time.slice(0, 8)
  const scope = `${date}/${region}/s3/aws4_request`
  const sent: Record<string, string> = {
    ...headers,
    'x-amz-content-sha256': body === undefined ? 'UNSIGNED-PAYLOAD' : sha256(body),
    'x-amz-date': time,
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
  }
  const signed: Record<string, string> = { ...sent, host }
  const names = Object.keys(signed).sort()
  const canonical = [
    method,
    path,
    encodeQuery(query),
    ...names.map((name) => `${name}:${signed[name]?.trim()}`),
    '',
    names.join(';'),
    signed['x-amz-content-sha256'],
  ].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')
  const key = [date, region, 's3', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`)
  const signature = hmac(key, toSign).toString('hex')
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  }
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
