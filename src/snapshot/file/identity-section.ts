import { z } from 'zod'
import { findRole, type RoleName, roleNames } from '../../core/access/role-table.ts'
import { isJsonObject } from '../../core/json.ts'
import { type DocumentProblem, parseDocument } from '../../core/text/parse-document.ts'
import { isLoopback, type NetworkRules, readRange } from '../../policy/access/network.ts'
import { type TokenAlgorithm, tokenAlgorithms } from '../../policy/access/token/verify-token.ts'

/** The sections of the file that say whose tokens are taken, who may do what, and from where management is reached. */

const guid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'a GUID')
const claim = z.string().min(1).max(128)
const text = z.string().min(1).max(256)

/** A token is worth what its issuer's keys are, and those come over the network. */
const issuerUrl = z
  .string()
  .max(512)
  .refine(isSafeUrl, 'https://..., without a query; plain http:// for this machine only')

const range = z.string().refine((value) => readRange(value) !== undefined, 'an address or a range such as 10.0.0.0/8')

const roleSchema = z
  .string()
  .refine((name) => findRole(name) !== undefined, `a role: ${roleNames.join(', ')}`)
  .transform((name) => findRole(name) as RoleName)

const place = {
  role: roleSchema,
  /** Name of a resource; the whole server when absent. */
  resource: text.optional(),
  /** Name of a deployment of `resource`, or of the server's own. */
  deployment: text.optional(),
}

/** To whom: exactly one of the first three. */
const assignmentSchema = z
  .strictObject({
    /** The `oid`, `sub` or `appid`. */
    principal: text.optional(),
    group: text.optional(),
    /** A value of the claim `roles`. */
    claimedRole: text.optional(),
    ...place,
  })
  .refine(({ principal, group, claimedRole }) => count(principal, group, claimedRole) === 1, {
    error: 'exactly one of principal, group and claimedRole',
    path: ['principal'],
  })

const issuerSchema = z
  .strictObject({
    /** By which role assignments and messages name it. */
    name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, '1 to 64 letters, digits, "-", "_" or "."'),
    /** A tenant of Entra ID, in place of `issuer`: both names under which it issues, and where its keys are, are known. */
    tenant: guid.transform((value) => value.toLowerCase()).optional(),
    /** What tokens have in `iss`. */
    issuer: issuerUrl.optional(),
    /** Where its keys are; found with its `/.well-known/openid-configuration` when absent. */
    jwksUri: issuerUrl.optional(),
    /** Taken beside those that clients of Azure ask tokens for. */
    audiences: z.array(text).max(32).default([]),
    algorithms: z
      .array(z.enum(tokenAlgorithms))
      .min(1)
      .default(['RS256', 'PS256', 'ES256', 'EdDSA'] satisfies TokenAlgorithm[]),
    clockSkewSeconds: z.int().min(0).max(300).default(60),
    claims: z
      .strictObject({
        id: claim.optional(),
        name: claim.optional(),
        roles: claim.default('roles'),
        groups: claim.default('groups'),
      })
      .prefault({}),
    assignments: z.array(assignmentSchema).max(10_000).default([]),
  })
  .refine(({ tenant, issuer }) => count(tenant, issuer) === 1, {
    error: 'exactly one of tenant and issuer',
    path: ['issuer'],
  })

export type IssuerSpec = z.output<typeof issuerSchema>
export type IssuerAssignment = IssuerSpec['assignments'][number]

const networkSchema = z.strictObject({
  /** Proxies whose `X-Forwarded-For` is believed. */
  trustedProxies: z.array(range).max(256).default([]),
  management: z
    .strictObject({
      publicNetworkAccess: z.enum(['Enabled', 'Disabled']).optional(),
      networkAcls: z
        .strictObject({
          defaultAction: z.enum(['Allow', 'Deny']),
          ipRules: z
            .array(z.strictObject({ value: range }))
            .max(1_000)
            .default([]),
        })
        .optional(),
    })
    .prefault({}),
})

export const identitySections = {
  identity: z.strictObject({ issuers: z.array(issuerSchema).max(32).default([]) }).optional(),
  network: networkSchema.optional(),
} as const

export type DeclaredIdentity = {
  readonly issuers: readonly IssuerSpec[]
  readonly trustedProxies: readonly string[]
  /** Of management; resources have their own. */
  readonly managementNetwork: NetworkRules
}

export const noIdentity: DeclaredIdentity = { issuers: [], trustedProxies: [], managementNetwork: {} }

export type IdentityReading = { readonly identity: DeclaredIdentity; readonly problems: readonly DocumentProblem[] }

/** Judges the sections. That the file is an object is for others to judge. */
export function readIdentity(value: unknown): IdentityReading {
  const document = isJsonObject(value) ? value : {}
  const parsed = parseDocument(z.object(identitySections), document)
  if ('problems' in parsed) return { identity: noIdentity, problems: parsed.problems }
  const { identity = { issuers: [] }, network } = parsed.data
  const declared: DeclaredIdentity = {
    issuers: identity.issuers,
    trustedProxies: network?.trustedProxies ?? [],
    managementNetwork: network?.management ?? {},
  }
  return { identity: declared, problems: [...judgeIssuers(identity.issuers)] }
}

/** By one name, one issuer; by one `iss`, one name. */
function judgeIssuers(issuers: readonly IssuerSpec[]): DocumentProblem[] {
  return issuers.flatMap((issuer, index) => {
    const before = issuers.slice(0, index)
    const path = ['identity', 'issuers', index]
    const sameName = before.findIndex(({ name }) => name.toLowerCase() === issuer.name.toLowerCase())
    if (sameName >= 0) return [{ path: [...path, 'name'], text: `identity.issuers[${sameName}] has this name already` }]
    const same = before.findIndex((one) => issuerKey(one) === issuerKey(issuer))
    if (same >= 0) return [{ path: [...path, 'issuer'], text: `identity.issuers[${same}] is this issuer already` }]
    if (issuer.name.toLowerCase() === ownIssuer) {
      return [{ path: [...path, 'name'], text: `"${ownIssuer}" is the server's own issuer; choose another name` }]
    }
    return []
  })
}

/** The server's own issuer, as role assignments name it. */
export const ownIssuer = 'ponto'

/** What tells issuers apart; the scheme does not. */
export function issuerKey({ tenant, issuer }: Pick<IssuerSpec, 'tenant' | 'issuer'>): string {
  const url = tenant === undefined ? (issuer as string) : tenantIssuers(tenant)[0]
  return url.replace(/^https?:\/\//, '').replace(/\/$/, '')
}

/** How a tenant names itself: in newer tokens, and in those for most services of Azure. */
export function tenantIssuers(tenant: string): readonly [string, string] {
  return [`https://login.microsoftonline.com/${tenant}/v2.0`, `https://sts.windows.net/${tenant}/`]
}

function isSafeUrl(value: string): boolean {
  if (!URL.canParse(value)) return false
  const url = new URL(value)
  if (url.username || url.password || url.search || url.hash || value.includes('@')) return false
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return url.protocol === 'https:' || (url.protocol === 'http:' && (host === 'localhost' || isLoopback(host)))
}

function count(...values: readonly unknown[]): number {
  return values.filter((value) => value !== undefined).length
}
