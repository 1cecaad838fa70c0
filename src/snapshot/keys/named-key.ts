import { z } from 'zod'
import { formatProblem, parseDocument } from '../../core/text/parse-document.ts'
import type { NamedKeyRow, NamedKeysTable } from '../../port/tables/access/named-keys/port.ts'
import { deploymentNamePattern, deploymentNameRule } from '../deployment-spec.ts'

const whole = z.int().min(1).max(1e12)

const budgetSchema = z
  .strictObject({
    unit: z.enum(['tokens', 'cost']),
    period: z.enum(['day', 'month']),
    /** Tokens, or money in the currency of the prices. */
    limit: z.number().positive('more than 0').max(1e15),
  })
  .refine(({ unit, limit }) => unit !== 'tokens' || Number.isInteger(limit), {
    error: 'a whole number of tokens',
    path: ['limit'],
  })

/** In UTC: later years are written in another shape, which could not be read again. */
const latestExpiry = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

const isDistinct = (texts: readonly string[]): boolean => new Set(texts).size === texts.length

/** What an operator may say about a named key. Unknown fields are refused, so that a misspelt limit is never silently none. */
export const namedKeySchema = z.strictObject({
  name: z
    .string()
    .regex(deploymentNamePattern, deploymentNameRule)
    .refine((name) => !/^key[12]$/i.test(name), "another name: key1 and key2 are the resource's own"),
  /** Free text: a person, a team, where to ask. */
  owner: z.string().max(256).default(''),
  /** Names of deployments, in any case. One that is deleted later does no harm to the rest. */
  deployments: z
    .union([
      z.literal('all'),
      z
        .array(z.string().regex(deploymentNamePattern, deploymentNameRule))
        .min(1)
        .max(1000)
        .refine((names) => isDistinct(names.map((name) => name.toLowerCase())), 'each deployment once'),
    ])
    .default('all'),
  tokensPerMinute: whole.optional(),
  requestsPerMinute: whole.optional(),
  budgets: z
    .array(budgetSchema)
    .max(4)
    .refine(
      (budgets) => isDistinct(budgets.map(({ unit, period }) => `${unit}/${period}`)),
      'each unit and period once',
    )
    .default([]),
  /** RFC 3339; written in UTC. */
  expiresAt: z.iso
    .datetime({ offset: true, error: 'a time such as 2027-01-01T00:00:00Z' })
    .refine((text) => !(Date.parse(text) > latestExpiry), 'a time before the year 10000')
    .transform((text) => new Date(text).toISOString())
    .optional(),
})

export type NamedKeySpec = z.output<typeof namedKeySchema>
export type NamedKeyInput = z.input<typeof namedKeySchema>

/** A key beside the resource's two, its document read. */
export type NamedKey = Omit<NamedKeyRow, 'document'> & { readonly spec: NamedKeySpec }

export type NamedKeyReading = { readonly key: NamedKey } | { readonly warning: string }

/** A key whose document cannot be read opens nothing, since what it may use is not known. */
export function readNamedKey({ document, ...row }: NamedKeyRow): NamedKeyReading {
  const parsed = parseDocument(namedKeySchema, { ...document, name: row.name })
  if ('data' in parsed) return { key: { ...row, spec: parsed.data } }
  const problems = parsed.problems.map(formatProblem).join('; ')
  const warning = `The stored key "${row.name}" cannot be read and opens nothing (${problems}). Replace or delete it.`
  return { warning }
}

/** All that are stored, and what an operator should know of those that cannot be read. */
export async function readNamedKeys(
  table: NamedKeysTable,
): Promise<{ readonly keys: readonly NamedKey[]; readonly warnings: readonly string[] }> {
  const readings = (await table.list()).map(readNamedKey)
  return {
    keys: readings.flatMap((reading) => ('key' in reading ? reading.key : [])),
    warnings: readings.flatMap((reading) => ('warning' in reading ? reading.warning : [])),
  }
}
