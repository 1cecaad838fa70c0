import { resourceKey } from '../../core/resource.ts'
import { hostLabels } from '../../snapshot/resources/resource-spec.ts'
import type { Snapshot } from '../../snapshot/snapshot.ts'
import { azureSuffixes } from '../server-names.ts'
import type { LiveResource } from './live-resource.ts'

/** Which resource a request is for: by path, else by host, else the server's own. Made anew when resources come and go. */
export type ResourceIndex = {
  /**
   * What the data plane has of the resource that the URL is of; undefined where its path names one that there is not. Takes
   * `/resources/<name>` off the path.
   */
  pick(url: URL): Snapshot | undefined
  find(name: string): LiveResource | undefined
  /** Hosts of all but the server's own. */
  readonly hosts: readonly string[]
}

const prefix = '/resources/'
const suffixes = ['localhost', ...azureSuffixes]

export function createResourceIndex(own: LiveResource, others: readonly LiveResource[]): ResourceIndex {
  const byName = new Map([...others, own].map((resource) => [resourceKey(resource.record().spec.name), resource]))
  const byHost = new Map<string, LiveResource>(
    others.flatMap((resource) =>
      hostLabels(resource.record().spec).flatMap((label) =>
        suffixes.map((suffix) => [`${label}.${suffix}`, resource] as [string, LiveResource]),
      ),
    ),
  )

  function pickByPath(url: URL, path: string): Snapshot | undefined {
    const end = path.indexOf('/', prefix.length)
    const name = decodeName(end === -1 ? path.slice(prefix.length) : path.slice(prefix.length, end))
    url.pathname = end === -1 ? '/' : path.slice(end)
    return byName.get(resourceKey(name))?.current()
  }

  return {
    pick(url) {
      const path = url.pathname
      if (path.startsWith(prefix)) return pickByPath(url, path)
      if (byHost.size === 0) return own.current()
      const host = url.hostname
      return (byHost.get(host.endsWith('.') ? host.slice(0, -1) : host) ?? own).current()
    },
    hosts: [...byHost.keys()],
    find: (name) => byName.get(resourceKey(name)),
  }
}

/** What is no valid escape is no name of anything. */
function decodeName(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return ''
  }
}
