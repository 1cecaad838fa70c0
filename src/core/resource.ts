import type { JsonObject } from './json.ts'

/** A resource as its owner describes it: what Azure calls an account. What belongs to it (deployments, keys, filters) is found by its id. */
export type ResourceSpec = {
  /** Found without regard to case, and with it the hosts `<name>.localhost` and `<name>.<suffix>`, where it can be a label of a host. */
  readonly name: string
  /** Lower case without blanks (`eastus`). Carried: nothing acts on it. */
  readonly location: string
  readonly kind: 'AIServices' | 'OpenAI'
  readonly sku: { readonly name: 'S0' }
  readonly tags: Readonly<Record<string, string>>
  /** A GUID, lower case. Carried: all resources of a server are of one operator. */
  readonly subscriptionId: string
  /** Carried. */
  readonly resourceGroup: string
  readonly properties: ResourceProperties
}

/** In Azure's words; what is absent has Azure's default. */
export type ResourceProperties = {
  /** Enforced: further hosts, as with the name. Once it is there, it stays. */
  readonly customSubDomainName?: string | undefined
  /** Enforced: no key opens the resource. */
  readonly disableLocalAuth?: boolean | undefined
  /** Enforced: `Disabled` lets in loopback addresses only. */
  readonly publicNetworkAccess?: 'Enabled' | 'Disabled' | undefined
  /** Enforced, but for `bypass` and `virtualNetworkRules`, which are carried: a server has no virtual networks. */
  readonly networkAcls?: NetworkAcls | undefined
  /** Enforced: backends and filter engines of this resource must be at hosts of `allowedFqdnList`. */
  readonly restrictOutboundNetworkAccess?: boolean | undefined
  readonly allowedFqdnList?: readonly string[] | undefined
  /** Carried: further properties that clients of Azure write and want to read again. None of them is a secret. */
  readonly carried?: JsonObject | undefined
}

export type NetworkAcls = {
  readonly defaultAction: 'Allow' | 'Deny'
  /** Addresses and CIDR ranges. */
  readonly ipRules: readonly { readonly value: string }[]
  readonly bypass?: 'None' | 'AzureServices' | undefined
  readonly virtualNetworkRules?: readonly JsonObject[] | undefined
}

/** Whose data something is: `''` for the server's own resource, else made up with the resource, so that a later one of its name gets none of it. */
export type ResourceId = string

/** The server's own resource: it is always there, and answers whatever is addressed to no other. */
export const ownResource: ResourceId = ''

/** The key under which a resource is found: names match without regard to case. */
export function resourceKey(name: string): string {
  return name.toLowerCase()
}

/** What tells the same name apart in several resources: in counters, owners and rows. Names of the server's own resource stay as they are. */
export function qualify(resource: ResourceId | undefined, name: string): string {
  return !resource ? name : `${resource}/${name}`
}

/** The resource of what `qualify` made, or of an owner: names of keys hold no slash, those of token holders an "@" before any. */
export function resourceOf(qualified: string): ResourceId {
  const head = qualified.slice(0, Math.max(0, qualified.indexOf('/')))
  return head.includes('@') ? ownResource : head
}
