import { createHmac } from 'node:crypto'
import type { RemoteRequest } from '../remote/send-request.ts'

export const apiVersion = '2023-11-03'

export type AzureKey = { readonly name: string; readonly key: string }

/** Those that have a line of their own in what is signed, in its order. `Date` stays empty: `x-ms-date` is there. */
const plainHeaders = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'if-modified-since',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'range',
]

/**
 * The header `authorization` of a request with the key of an account. All `x-ms-` headers have to be among its headers.
 * https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
 */
export function signWithSharedKey(
  { name, key }: AzureKey,
  { method, path, query = {}, headers = {}, body }: RemoteRequest,
): string {
  const plain: Record<string, string> = { ...headers, 'content-length': body?.byteLength ? `${body.byteLength}` : '' }
  const vendor = Object.keys(headers).filter((header) => header.startsWith('x-ms-'))
  const parameters = Object.keys(query)
  const text = [
    method,
    ...plainHeaders.map((header) => plain[header] ?? ''),
    ...vendor.sort().map((header) => `${header}:${headers[header]}`),
    `/${name}${path}`,
    ...parameters.sort().map((parameter) => `${parameter}:${query[parameter]}`),
  ].join('\n')
  return `SharedKey ${name}:${hmac(key, text)}`
}

/**
 * A query with which a blob can be read until then, and nothing else. `resource` is container and name of the blob; times in unix
 * milliseconds.
 * https://learn.microsoft.com/rest/api/storageservices/create-service-sas
 */
export function signForReading({ name, key }: AzureKey, resource: string, until: number): Record<string, string> {
  const expiry = new Date(until).toISOString().replace(/\.\d{3}/, '')
  // Permission, start, end, resource, policy, addresses, protocols, version, kind, snapshot, encryption, and five headers of the answer.
  const fields = ['r', '', expiry, `/blob/${name}/${resource}`, '', '', '', apiVersion, 'b', '', '', '', '', '', '', '']
  return { sp: 'r', se: expiry, sv: apiVersion, sr: 'b', sig: hmac(key, fields.join('\n')) }
}

function hmac(key: string, text: string): string {
  return createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64')
}
