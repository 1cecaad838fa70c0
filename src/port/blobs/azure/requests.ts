import { encodeQuery, encodeStrictly } from '../remote/encode.ts'
import type { RemoteAnswer, RemoteRequest } from '../remote/send-request.ts'
import type { AzureAccount } from './account.ts'
import { apiVersion, signForReading, signWithSharedKey } from './sign.ts'

export type AzureRequests = {
  /** The path of a blob of that name in the container; of the container itself for ''. */
  pathOf(name: string): string
  /** A URL from which the store can read the blob itself, for some minutes. A secret. */
  sourceOf(name: string): string
  sign(request: RemoteRequest): { url: string; headers: Record<string, string> }
  errorCodeOf(answer: RemoteAnswer): string | undefined
}

const sourceLifeMs = 3_600_000

/** How requests to a container look: where it is, and how they are signed. */
export function createAzureRequests(account: AzureAccount, container: string): AzureRequests {
  const { origin, pathname } = new URL(account.endpoint)
  const root = `${pathname.replace(/\/$/, '')}/${container}`
  const pathOf = (name: string): string =>
    name === '' ? root : `${root}/${name.split('/').map(encodeStrictly).join('/')}`
  return {
    pathOf,
    sourceOf(name) {
      const query =
        'sas' in account
          ? account.sas
          : encodeQuery(signForReading(account, `${container}/${name}`, Date.now() + sourceLifeMs))
      return `${origin}${pathOf(name)}?${query}`
    },
    sign(request) {
      const headers: Record<string, string> = {
        ...request.headers,
        'x-ms-date': new Date().toUTCString(),
        'x-ms-version': apiVersion,
      }
      const sas = 'sas' in account ? account.sas : ''
      if ('key' in account) headers.authorization = signWithSharedKey(account, { ...request, headers })
      const search = [encodeQuery(request.query ?? {}), sas].filter((part) => part !== '').join('&')
      return { url: `${origin}${request.path}${search && `?${search}`}`, headers }
    },
    errorCodeOf({ status, headers }) {
      const code = headers.get('x-ms-error-code')
      return status >= 300 && code !== null && /^\w{1,80}$/.test(code) ? code : undefined
    },
  }
}
