import type { Plane } from '../authorize.ts'

/** For whom tokens have to be. */

/** What clients of the data plane ask tokens for. */
const dataAudiences = ['https://cognitiveservices.azure.com', 'https://ai.azure.com', 'https://ml.azure.com']
/** Those of management do so too, or for these, or for the address that they were given. */
const managementAudiences = ['https://management.azure.com', 'https://management.core.windows.net']

const known: Readonly<Record<Plane, ReadonlySet<string>>> = {
  data: new Set(dataAudiences),
  management: new Set([...dataAudiences, ...managementAudiences]),
}

export type JudgeAudience = (audience: string, plane: Plane) => boolean

/** `isOwnHost` says whether the server is reached by that name, without a port. */
export function createAudienceJudge(isOwnHost: (name: string) => boolean): JudgeAudience {
  return (audience, plane) => {
    const name = normalizeAudience(audience)
    if (known[plane].has(name)) return true
    if (plane !== 'management' || !/^https?:\/\/[^/?#@]+$/.test(name) || !URL.canParse(name)) return false
    return isOwnHost(new URL(name).hostname)
  }
}

/** Clients put a slash at the end, or do not, or two. */
export function normalizeAudience(audience: string): string {
  return audience.replace(/\/+$/, '').toLowerCase()
}
