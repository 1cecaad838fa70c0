import { Fault } from '../../core/fault.ts'
import { type AzureAccount, readConnectionString } from './azure/account.ts'
import { isBlobKey } from './keys.ts'
import type { S3Credentials } from './s3/sign.ts'

/** Where blobs are kept, as an operator writes it. */
export type BlobStore =
  | { readonly kind: 'disk' }
  | {
      readonly kind: 's3'
      readonly bucket: string
      readonly prefix?: string | undefined
      readonly region: string
      readonly endpoint?: string | undefined
      readonly isPathStyle?: boolean | undefined
    }
  | { readonly kind: 'azure'; readonly container: string; readonly prefix?: string | undefined }

const forms = '"disk", "s3://BUCKET/PREFIX?region=REGION&endpoint=URL" or "azure://CONTAINER/PREFIX"'
const s3Parameters = ['region', 'endpoint', 'style']
export const s3SecretNames = {
  accessKeyId: 'PONTO_SECRET_S3_ACCESS_KEY_ID',
  secretAccessKey: 'PONTO_SECRET_S3_SECRET_ACCESS_KEY',
  sessionToken: 'PONTO_SECRET_S3_SESSION_TOKEN',
} as const
export const azureSecretName = 'PONTO_SECRET_AZURE_STORAGE'

/**
 * Reads `disk`, `s3://bucket/prefix?region=eu-central-1` (with `endpoint=https://host` and `style=path|virtual` for stores other than AWS) or
 * `azure://container/prefix`. Prefixes may be left out. Secrets do not stand in it. `field` is the option it was given by. Throws Fault
 * `invalid-request`.
 */
export function readBlobStore(text: string, field: string): BlobStore {
  const fail = (problem: string): Fault => new Fault('invalid-request', `${field}: ${problem}`)
  if (text === 'disk') return { kind: 'disk' }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['s3:', 'azure:'].includes(url.protocol))
    throw fail(`got no place for files, expected ${forms}`)
  if (url.username || url.password || url.hash) {
    throw fail(
      `got a secret or a "#" in it, expected ${forms}, with secrets in variables that begin with PONTO_SECRET_`,
    )
  }
  const [, rawName = '', path = ''] = /^[a-z0-9]+:\/\/([^/?#]*)\/?([^?#]*)/i.exec(text) ?? []
  const prefix = path.replace(/\/$/, '') || undefined
  if (prefix !== undefined && !isBlobKey(prefix)) {
    throw fail(`got the prefix "${prefix}", expected letters, digits, "-" and "_", with "/" between them`)
  }
  const parameters = url.searchParams
  const known = url.protocol === 's3:' ? s3Parameters : []
  for (const name of parameters.keys()) {
    if (!known.includes(name) || parameters.getAll(name).length > 1) {
      throw fail(
        `got the parameter "${name}", expected ${known.length > 0 ? `each of ${known.join(', ')} once at most` : 'none'}`,
      )
    }
  }
  if (url.protocol === 'azure:') {
    if (!/^[a-z0-9](?:-?[a-z0-9])+$/.test(rawName) || rawName.length < 3 || rawName.length > 63) {
      throw fail(`got the container "${rawName}", expected 3 to 63 small letters, digits and single "-"`)
    }
    return { kind: 'azure', container: rawName, prefix }
  }
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(rawName) || rawName.includes('..')) {
    throw fail(`got the bucket "${rawName}", expected 3 to 63 small letters, digits, "." and "-"`)
  }
  return { kind: 's3', bucket: rawName, prefix, ...readS3Place(parameters, fail) }
}

function readS3Place(parameters: URLSearchParams, fail: (problem: string) => Fault) {
  const endpoint = parameters.get('endpoint') ?? undefined
  const isUrl = endpoint !== undefined && URL.canParse(endpoint)
  if (endpoint !== undefined && !(isUrl && isPlainAddress(new URL(endpoint)))) {
    throw fail('endpoint: expected a URL such as "https://minio.example:9000", without user, password or query')
  }
  // Stores other than AWS hardly ever have regions, but a signature names one.
  const region = parameters.get('region') ?? (endpoint === undefined ? undefined : 'us-east-1')
  if (region === undefined) throw fail('region: expected the region of the bucket: "?region=eu-central-1"')
  if (!/^[a-z0-9-]{1,40}$/.test(region)) throw fail(`region: got "${region}", expected a name such as "eu-central-1"`)
  const style = parameters.get('style')
  if (style !== null && style !== 'path' && style !== 'virtual') {
    throw fail(`style: got "${style}", expected "path" (the bucket in the path) or "virtual" (in the name of the host)`)
  }
  return { region, endpoint, isPathStyle: style === null ? undefined : style === 'path' }
}

function isPlainAddress({ protocol, username, password, search, hash }: URL): boolean {
  return /^https?:$/.test(protocol) && !username && !password && !search && !hash
}

/** Throws Fault `invalid-request` that names the variable which is not set. */
export function readS3Credentials(readSecret: (name: string) => string | undefined): S3Credentials {
  const required = (name: string): string => {
    const secret = readSecret(name)
    if (!secret) throw missing(name)
    return secret
  }
  return {
    accessKeyId: required(s3SecretNames.accessKeyId),
    secretAccessKey: required(s3SecretNames.secretAccessKey),
    sessionToken: readSecret(s3SecretNames.sessionToken) || undefined,
  }
}

/** From a connection string. Throws Fault `invalid-request` that names the variable. */
export function readAzureAccount(readSecret: (name: string) => string | undefined): AzureAccount {
  const text = readSecret(azureSecretName)
  if (!text) throw missing(azureSecretName)
  return readConnectionString(text, azureSecretName)
}

function missing(name: string): Fault {
  return new Fault(
    'invalid-request',
    `the variable ${name} is not set; set it where Ponto is started, and start Ponto again`,
  )
}
