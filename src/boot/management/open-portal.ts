import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openAssets } from '../../control/portal/assets.ts'
import { createPortal, type PortalOptions } from '../../control/portal/create-portal.ts'
import { Fault } from '../../core/fault.ts'
import type { Handle } from '../../gateway/server.ts'
import type { DataFolder } from '../folder/data-folder.ts'

export type PortalParts = Omit<PortalOptions, 'assets' | 'readAuthority'> & {
  readonly folder: DataFolder
  isLocalCertificate(): boolean
  /** The data plane, and a key for it. */
  readonly gateway: Handle
  findKey(): string | undefined
}

const builtFolder = join(import.meta.dirname, '../../../web/built')
const chatPath = '/openai/v1/chat/completions'

/** The portal, put together with the data plane that its playground asks. */
export function openPortal(parts: PortalParts): Handle {
  const { folder, gateway, findKey } = parts
  const portal = createPortal({
    ...parts,
    assets: openAssets(builtFolder),
    readAuthority: () => (parts.isLocalCertificate() ? readFileSync(folder.caFile, 'utf8') : undefined),
  })

  return (request, url, setTurn, readAddress) =>
    portal(request, url, readAddress, (asked) => {
      const key = findKey()
      if (key === undefined) throw new Fault('conflict', 'The resource has no key that the playground could use.')
      const target = new URL(chatPath, url)
      const headers = { 'content-type': asked.headers.get('content-type') ?? '', 'api-key': key, host: url.host }
      const inner = new Request(target, { method: 'POST', headers, body: asked.body, signal: asked.signal })
      return gateway(inner, target, setTurn, readAddress)
    })
}

/** Whether a path is one of the portal's. */
export function isPortalPath(path: string): boolean {
  return path.startsWith('/portal') && (path.length === '/portal'.length || path[7] === '/')
}

/** Sends a browser that asks for the root of the server on to the portal; undefined for programs, which do not ask for pages. */
export function greetBrowser(request: Request, path: string): Response | undefined {
  if (path !== '/' || request.method !== 'GET' || !request.headers.get('accept')?.includes('text/html'))
    return undefined
  return new Response(null, { status: 302, headers: { location: '/portal/', 'cache-control': 'no-store' } })
}
