import { z } from 'zod'
import { authKinds, chatApis, presets, protocols } from '../backend/presets.ts'
import { type ModelType, modelTypes, type SkuName, skus } from '../core/deployment.ts'
import type { ParseOptions } from '../core/text/parse-document.ts'
import { filterNameSchema, tagsSchema } from './filter/policy-spec.ts'

/**
 * What an operator writes to make a deployment: one shape for the YAML file, the management route and the CLI.
 * Unknown keys are refused, so that a misspelt one is never silently ignored.
 */

export const deploymentNamePattern = /^[A-Za-z0-9._-]{2,64}$/
export const deploymentNameRule = '2 to 64 letters, digits, "-", "_" or "."'

/** Half a character can be in JSON, but in no address that a model's name becomes part of. */
const words = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .refine((text) => text.isWellFormed(), 'a text without half characters')

const timeoutMs = z.int().min(1).max(86_400_000)

export const credentialSchema = z.union([
  z.strictObject({
    env: z.string().regex(/^PONTO_SECRET_[A-Z0-9_]+$/, 'a variable whose name begins with PONTO_SECRET_'),
  }),
  z.strictObject({ value: z.string().min(1).max(8192) }),
  z.strictObject({ sealed: z.string().min(1) }),
])

export const labelSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'lower-case letters, digits, ".", "_" or "-"')

export const backendSpecSchema = z
  .strictObject({
    /** Base URL. openai: up to and including `/v1`; azure-openai and foundry: the resource's root; anthropic: what comes before `/v1`. */
    url: z.url({ protocol: /^https?$/ }).max(2048),
    /** What the upstream speaks. */
    protocol: z.enum(protocols).default('openai'),
    /** Query parameter for azure-openai and foundry, `anthropic-version` for anthropic. */
    apiVersion: z
      .string()
      .regex(
        /^(\d{4}-\d{2}-\d{2}(-preview)?|v1|preview|latest)$/,
        'YYYY-MM-DD, YYYY-MM-DD-preview, v1, preview or latest',
      )
      .optional(),
    /** How the credential is sent. */
    auth: z.enum(authKinds).optional(),
    credential: credentialSchema.optional(),
    /** The model or deployment name at the upstream; the deployment's model name when absent. `{version}` stands for the version served. */
    model: words(256).optional(),
    /** Whether streams may be asked for their usage with `stream_options`; for upstreams that refuse the field, false. */
    streamUsage: z.boolean().optional(),
    /** Whether batches go there whole, to be answered within a day for less, where the protocol has that. */
    nativeBatch: z.boolean().optional(),
    /** For openai and azure-openai: the APIs it has for chats, of which a call gets that of its caller, or else the first. */
    chatApis: z
      .array(z.enum(chatApis))
      .min(1)
      .max(chatApis.length)
      .refine((apis) => new Set(apis).size === apis.length, 'each at most once')
      .optional(),
    /** Where it stands; which SKUs need which label is the operator's own affair (`placement` of the configuration). */
    labels: z.array(labelSchema).max(16).optional(),
    /** Calls it takes at once, from all deployments of this server together; more wait a little. */
    maxConcurrency: z.int().min(1).max(100_000).optional(),
    /** Lower is tried first. */
    priority: z.int().min(0).max(100).default(0),
    /** Share among backends of the same priority. */
    weight: z.int().min(1).max(1000).default(1),
    timeouts: z
      .strictObject({
        connectMs: timeoutMs.default(5_000),
        firstByteMs: timeoutMs.default(300_000),
        idleMs: timeoutMs.default(120_000),
        totalMs: timeoutMs.default(1_800_000),
      })
      .prefault({}),
  })
  .refine(({ protocol, chatApis: apis }) => !apis || 'responses' in presets[protocol], {
    path: ['chatApis'],
    message: `none with this protocol: only ${protocols.filter((name) => 'responses' in presets[name]).join(' and ')} have two APIs for chats`,
  })

const amount = z.number().min(0).max(1e9)

/** Money per million tokens and per request; the currency is the operator's own affair. */
export const priceSchema = z.strictObject({
  inputPerMillion: amount.default(0),
  /** That of other input when absent. */
  cachedInputPerMillion: amount.optional(),
  outputPerMillion: amount.default(0),
  perRequest: amount.default(0),
})

/** `redact` takes personal data out before anything is written. */
export const captureSchema = z.strictObject({
  prompts: z.boolean().default(false),
  answers: z.boolean().default(false),
  redact: z.boolean().default(false),
  retentionDays: z.int().min(1).max(3_650).default(7),
})

/** How often, in words of Azure's `rateLimits`: `renewalPeriod` is seconds. */
const rateLimitSchema = z.strictObject({
  key: z.enum(['request', 'token']),
  renewalPeriod: z.int().min(1).max(60),
  count: z.int().min(1).max(1e12),
})

export const versionUpgradeOptions = [
  'OnceNewDefaultVersionAvailable',
  'OnceCurrentVersionExpired',
  'NoAutoUpgrade',
] as const

export const deploymentSpecSchema = z.strictObject({
  name: z.string().regex(deploymentNamePattern, deploymentNameRule),
  model: z.strictObject({
    format: words(64).default('OpenAI'),
    name: words(128),
    /** The catalog's default version when absent, or '1' for a model that is not in it. */
    version: words(64).default('1'),
    /** What it is for; limits the deployment to the operations of that type, and is what `GET /info` says. */
    type: z.enum(Object.keys(modelTypes) as [ModelType, ...ModelType[]]).optional(),
  }),
  /** Capacity, and with it limits. Without a SKU, and without `rateLimits`, the deployment has none. */
  sku: z
    .strictObject({
      name: z.enum(Object.keys(skus) as [SkuName, ...SkuName[]]),
      capacity: z.int().min(1).max(1_000_000).default(1),
    })
    .optional(),
  /** Limits of the operator's own instead of those that the SKU's capacity gives; at most one per key. */
  rateLimits: z.array(rateLimitSchema).min(1).max(2).optional(),
  /** `settle` (when absent): real usage replaces the estimate that was reserved. `estimate`: the estimate counts, as it does with Azure. */
  tokenAccounting: z.enum(['settle', 'estimate']).optional(),
  /** Calls at once, of a provisioned SKU; so many are kept free for it of a backend's `maxConcurrency`, and of the built-in engine. */
  concurrency: z.int().min(1).max(100_000).optional(),
  versionUpgradeOption: z.enum(versionUpgradeOptions).optional(),
  /** May go over its own tokens while its quota pool has some left. */
  dynamicThrottlingEnabled: z.boolean().optional(),
  /** Takes the calls that this one, of a provisioned SKU, cannot. */
  spilloverDeploymentName: z.string().regex(deploymentNamePattern, deploymentNameRule).optional(),
  serviceTier: z.enum(['Default', 'Priority']).optional(),
  deploymentState: z.enum(['Running', 'Paused']).optional(),
  /** The content filter policy of its calls; the server's default when absent. */
  raiPolicyName: filterNameSchema.optional(),
  price: priceSchema.optional(),
  /** What of its calls the request log keeps beside the facts; nothing when absent. */
  capture: captureSchema.optional(),
  /** The operator's own words about it, for policies and bills. */
  tags: tagsSchema.optional(),
  /** Where it runs; absent means the built-in engine. */
  backends: z.array(backendSpecSchema).min(1).max(16).optional(),
})

/** How a document with credentials is judged: nothing below a `credential` is repeated. `rule` says which are allowed where it comes from. */
export function guardCredentials(rule: string): ParseOptions {
  return { unionRule: rule, isSecret: (path) => path.includes('credential') }
}

export type BackendSpec = z.output<typeof backendSpecSchema>
export type DeploymentSpec = z.output<typeof deploymentSpecSchema>
export type DeploymentInput = z.input<typeof deploymentSpecSchema>
