import { createHash, createHmac } from 'node:crypto'

export type AccessKey = {
  readonly id: string
  readonly secret: string
  /** Of temporary keys. */
  readonly session?: string | undefined
}

export type SignedPart = {
  readonly method: string
  /** As written in URLs by `host:port`, the port left out where it is the usual one. */
  readonly host: string
  /** With query. */
  readonly path: string
  readonly body: string
  readonly region: string
  /** The service's name in signatures: `bedrock`. */
  readonly service: string
  /** Milliseconds since 1970. */
  readonly now: number
}

/**
 * The headers of AWS Signature Version 4 for a JSON request: `authorization`, `x-amz-date`, `x-amz-content-sha256` and, of temporary
 * keys, `x-amz-security-token`. Signed are these, `host` and `content-type: application/json`, which the request must have.
 */
export function signRequest(key: AccessKey, part: SignedPart): Record<string, string> {
  const time = new Date(part.now).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const date = time.slice(0, 8)
  const scope = `${date}/${part.region}/${part.service}/aws4_request`
  const [path = '', query = ''] = part.path.split('?', 2)
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    host: part.host,
    'x-amz-content-sha256': sha256(part.body),
    'x-amz-date': time,
    ...(key.session && { 'x-amz-security-token': key.session }),
  }
  const names = Object.keys(headers).sort()
  const canonical = [
    part.method,
    // Every service but S3 signs the path encoded once more than it is sent.
    path.split('/').map(encode).join('/'),
    query.split('&').sort().join('&'),
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    headers['x-amz-content-sha256'],
  ].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')
  const signingKey = [date, part.region, part.service, 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${key.secret}`,
  )
  const signature = hmac(signingKey, toSign).toString('hex')
  const { host: _host, 'content-type': _type, ...sent } = headers
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${key.id}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  }
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** What RFC 3986 leaves unreserved stays. */
function encode(segment: string): string {
  return encodeURIComponent(segment).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
