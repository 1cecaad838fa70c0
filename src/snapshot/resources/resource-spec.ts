import { isIP } from 'node:net'
import { z } from 'zod'
import type { JsonObject } from '../../core/json.ts'
import type { ResourceSpec } from '../../core/resource.ts'
import { type DocumentProblem, parseDocument } from '../../core/text/parse-document.ts'

/** Azure's rule for names of resources. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{1,63}$/
const nameRule = '2 to 64 letters, digits, "-", "_" or ".", beginning with a letter or digit'
/** What can stand in a host name. */
const labelPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])$/
const hostPattern = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/
const guidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const defaultLocation = 'local'
const noSubscription = '00000000-0000-0000-0000-000000000000'
const defaultGroup = 'default'
/** Of what is only carried. */
const maxCarriedChars = 65_536

const lower = (text: string): string => text.toLowerCase()

const addressSchema = z.string().refine(isAddressOrRange, 'an IP address, or a range such as 203.0.113.0/24')

const networkAclsSchema = z.strictObject({
  defaultAction: z.enum(['Allow', 'Deny']),
  ipRules: z
    .array(z.strictObject({ value: addressSchema }))
    .max(1_000)
    .default([]),
  bypass: z.enum(['None', 'AzureServices']).optional(),
  virtualNetworkRules: z.array(z.record(z.string(), z.json())).max(100).optional(),
})

const propertiesSchema = z.strictObject({
  customSubDomainName: z
    .string()
    .transform(lower)
    .refine((name) => labelPattern.test(name), '2 to 63 letters, digits or "-", not beginning or ending with "-"')
    .optional(),
  disableLocalAuth: z.boolean().optional(),
  publicNetworkAccess: z.enum(['Enabled', 'Disabled']).optional(),
  networkAcls: networkAclsSchema.optional(),
  restrictOutboundNetworkAccess: z.boolean().optional(),
  allowedFqdnList: z
    .array(
      z
        .string()
        .transform(lower)
        .refine((name) => hostPattern.test(name), 'a host name'),
    )
    .max(1_000)
    .optional(),
  carried: z
    .record(z.string(), z.json())
    .refine((carried) => JSON.stringify(carried).length <= maxCarriedChars, `at most ${maxCarriedChars} characters`)
    .optional(),
})

export const resourceSpecSchema = z.strictObject({
  name: z.string().regex(namePattern, nameRule),
  location: z
    .string()
    .transform((text) => text.toLowerCase().replaceAll(' ', ''))
    .refine((text) => /^[a-z0-9-]{1,64}$/.test(text), 'a region, such as "eastus"')
    .default(defaultLocation),
  kind: z.enum(['AIServices', 'OpenAI']).default('AIServices'),
  sku: z.strictObject({ name: z.literal('S0') }).default({ name: 'S0' }),
  tags: z
    .record(z.string().min(1).max(512), z.string().max(256))
    .refine((tags) => Object.keys(tags).length <= 50, 'at most 50 tags')
    .default({}),
  subscriptionId: z
    .string()
    .transform(lower)
    .refine((text) => guidPattern.test(text), 'a GUID')
    .default(noSubscription),
  resourceGroup: z
    .string()
    .regex(/^[\w.()-]{1,90}$/, '1 to 90 letters, digits, "-", "_", ".", "(" or ")"')
    .default(defaultGroup),
  properties: propertiesSchema.default({}),
})

export type ResourceInput = z.input<typeof resourceSpecSchema>

export type ResourceReading = { readonly spec: ResourceSpec } | { readonly problems: readonly DocumentProblem[] }

/** A resource as somebody wrote it. */
export function readResource(input: unknown): ResourceReading {
  const parsed = parseDocument(resourceSpecSchema, input)
  return 'data' in parsed ? { spec: parsed.data as ResourceSpec } : parsed
}

/** One of which nothing is said but its name. */
export function makeResourceSpec(name: string): ResourceSpec {
  return resourceSpecSchema.parse({ name }) as ResourceSpec
}

/** What is stored of it, beside the name. */
export function documentOf({ name, ...document }: ResourceSpec): JsonObject {
  return document as unknown as JsonObject
}

/** What cannot be changed where it was something else before: the subdomain, since clients have it in their settings. */
export function judgeResourceChange(next: ResourceSpec, current: ResourceSpec | undefined): DocumentProblem[] {
  const before = current?.properties.customSubDomainName
  const after = next.properties.customSubDomainName
  if (before === undefined || before === after) return []
  const given = after === undefined ? 'nothing' : JSON.stringify(after)
  const text = `got ${given}, expected ${JSON.stringify(before)}: once a resource has a subdomain, it keeps it`
  return [{ path: ['properties', 'customSubDomainName'], text, code: 'CustomDomainInUse' }]
}

/** The labels of a host that a resource is found by: its subdomain, and its name where that can be one. */
export function hostLabels({ name, properties }: Pick<ResourceSpec, 'name' | 'properties'>): string[] {
  const labels = [name.toLowerCase(), properties.customSubDomainName ?? ''].filter((label) => labelPattern.test(label))
  return [...new Set(labels)]
}

function isAddressOrRange(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}
