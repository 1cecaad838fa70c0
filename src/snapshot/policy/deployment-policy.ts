import { z } from 'zod'
import { type DocumentProblem, parseDocument } from '../../core/text/parse-document.ts'
import { deploymentSpecSchema } from '../deployment-spec.ts'
import { filterNameSchema } from '../filter/policy-spec.ts'

/**
 * An operator's rule about deployments, in the manner of Azure Policy. It is about those that fulfil all of `when`, all deployments when
 * that is absent. `deny` refuses what does not fulfil all of `allow`, `audit` lets it be and tells; `default` fills in what is not given.
 */

/** Allowed texts, without regard to case; `*` stands for any characters. */
const patterns = z.array(z.string().min(1).max(256)).min(1).max(100)
const range = z
  .strictObject({ min: z.number().min(0).optional(), max: z.number().min(0).optional() })
  .refine(({ min, max }) => min !== undefined || max !== undefined, 'min, max or both')

const conditionFields = z.strictObject({
  model: patterns.optional(),
  format: patterns.optional(),
  version: patterns.optional(),
  /** `none` is a deployment without one. */
  sku: patterns.optional(),
  /** Units; 0 without a SKU. */
  capacity: range.optional(),
  /** What the limits come to; no limit is more than any number. */
  tokensPerMinute: range.optional(),
  requestsPerMinute: range.optional(),
  /** Of the content filter policy that it has, also by default. */
  raiPolicyName: patterns.optional(),
  /** Every backend has one of these labels; `builtin` is the built-in engine. */
  backendLabels: patterns.optional(),
  /** All of these tags are there, with one of these values. */
  tags: z.record(z.string().min(1).max(512), patterns).optional(),
})

const isSomething = (fields: object) => Object.keys(fields).length > 0
/** A field that is misspelt has been told already. */
const atLeastOne = {
  error: 'at least one of its fields',
  when: ({ issues }: { readonly issues: readonly unknown[] }) => issues.length === 0,
}
const conditionsSchema = conditionFields.refine(isSomething, atLeastOne)

const described = { name: filterNameSchema, description: z.string().max(1000).optional() }

export const deploymentPolicySchema = z.discriminatedUnion('effect', [
  z.strictObject({
    ...described,
    effect: z.enum(['deny', 'audit']),
    when: conditionsSchema.optional(),
    allow: conditionsSchema,
  }),
  z.strictObject({
    ...described,
    effect: z.literal('default'),
    /** Judged on what is given: the defaults of others do not count. */
    when: conditionFields.pick({ model: true, format: true, version: true, sku: true, tags: true }).optional(),
    set: deploymentSpecSchema
      .pick({
        sku: true,
        rateLimits: true,
        tokenAccounting: true,
        versionUpgradeOption: true,
        raiPolicyName: true,
        serviceTier: true,
        tags: true,
      })
      .partial()
      .refine(isSomething, atLeastOne),
  }),
])

export type Conditions = z.output<typeof conditionsSchema>
export type DeploymentPolicy = z.output<typeof deploymentPolicySchema>
export type DeploymentPolicyInput = z.input<typeof deploymentPolicySchema>

export function readDeploymentPolicy(
  input: unknown,
): { readonly spec: DeploymentPolicy } | { readonly problems: readonly DocumentProblem[] } {
  const parsed = parseDocument(deploymentPolicySchema, input)
  return 'problems' in parsed ? parsed : { spec: parsed.data }
}
