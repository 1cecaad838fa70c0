import { Fault } from '../../../core/fault.ts'

/** Where a storage account is and how it is opened: by its key, or by a signature that somebody made with that (SAS). */
export type AzureAccount = {
  readonly name: string
  /** Of its blobs, without a slash at the end: `https://name.blob.core.windows.net`. */
  readonly endpoint: string
} & ({ readonly key: string } | { readonly sas: string })

/**
 * Reads what the portal of Azure calls a connection string: `AccountName=...;AccountKey=...`, with `BlobEndpoint` where that is not the
 * usual one, and `SharedAccessSignature` instead of the key. Throws Fault `invalid-request`, which repeats nothing of it; `source` says where it
 * came from.
 */
export function readConnectionString(text: string, source: string): AzureAccount {
  const fail = (problem: string): Fault =>
    new Fault(
      'invalid-request',
      `${source}: ${problem}. Copy the connection string of the storage account as it is: "AccountName=...;AccountKey=...;EndpointSuffix=core.windows.net"`,
    )
  const fields = new Map<string, string>()
  for (const pair of text.split(';')) {
    const at = pair.indexOf('=')
    if (at > 0) fields.set(pair.slice(0, at).trim().toLowerCase(), pair.slice(at + 1).trim())
    else if (pair.trim() !== '') throw fail('got a part without "=" in it')
  }
  const [given, key] = [fields.get('accountname'), fields.get('accountkey')]
  const sas = fields.get('sharedaccesssignature')?.replace(/^\?/, '')
  const endpoint = fields.get('blobendpoint') ?? endpointOf(given, fields)
  if (endpoint === undefined) throw fail('got neither AccountName nor BlobEndpoint')
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) throw fail('BlobEndpoint is no URL')
  const name = given ?? nameOf(new URL(endpoint))
  const base = { name, endpoint: endpoint.replace(/\/+$/, '') }
  if (sas) return { ...base, sas }
  if (!key) throw fail('got neither AccountKey nor SharedAccessSignature')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(key)) throw fail('AccountKey is not in Base64')
  return { ...base, key }
}

function endpointOf(name: string | undefined, fields: ReadonlyMap<string, string>): string | undefined {
  if (!name) return undefined
  const protocol = fields.get('defaultendpointsprotocol') ?? 'https'
  return `${protocol}://${name}.blob.${fields.get('endpointsuffix') ?? 'core.windows.net'}`
}

/** The account stands first in the name of the host, or in the path where the host has no name. */
function nameOf({ hostname, pathname }: URL): string {
  return pathname.split('/').find((part) => part !== '') ?? (hostname.split('.')[0] as string)
}
