import { z } from 'zod'
import { protocols } from '../../backend/presets.ts'
import { type ModelType, modelTypes, type SkuName, skus } from '../../core/deployment.ts'
import type { CatalogModel, CatalogSku, UnitValue } from './catalog.ts'
import { genericSkus } from './create-catalog.ts'

/** What an operator writes under `models:` to tell of a model, or of another version, default, capacity or end of a known one. */

const text = (maxLength: number) => z.string().min(1).max(maxLength)
const units = z.int().min(1).max(1_000_000)
const tokens = z.int().min(1).max(1e12)
const dateShape = z.union([z.iso.date(), z.iso.datetime({ offset: true })])
// One text for both shapes, and the schema's own: a union would speak with the words of its branches.
const date = z.string().refine((text) => dateShape.safeParse(text).success, 'a date, YYYY-MM-DD or with a time')

const skuSchema = z.strictObject({
  name: z.enum(Object.keys(skus) as [SkuName, ...SkuName[]]),
  capacity: z
    .strictObject({
      minimum: units.default(1),
      maximum: units.default(1_000_000),
      step: units.default(1),
      default: units.optional(),
    })
    .prefault({}),
  /** Per unit, of the standard family. */
  tokensPerMinute: tokens.optional(),
  requestsPerMinute: z.number().min(0.001).max(1e9).optional(),
  /** Per unit, of the provisioned family. */
  inputTokensPerMinute: tokens.optional(),
  outputWeight: z.number().min(0).max(1_000).default(4),
  /** Per unit, of the batch family. */
  enqueuedTokens: tokens.optional(),
})

export const modelEntrySchema = z
  .strictObject({
    format: text(64).default('OpenAI'),
    name: text(128),
    version: text(64).default('1'),
    default: z.boolean().default(true),
    publisher: text(128).optional(),
    description: text(2_000).optional(),
    type: z.enum(Object.keys(modelTypes) as [ModelType, ...ModelType[]]).optional(),
    capabilities: z.record(z.string(), z.string()).default({}),
    maxContextTokens: tokens.optional(),
    maxOutputTokens: tokens.optional(),
    lifecycle: z
      .strictObject({
        status: z
          .enum(['Preview', 'GenerallyAvailable', 'Legacy', 'Deprecating', 'Deprecated'])
          .default('GenerallyAvailable'),
        retiresAt: date.optional(),
        replacement: z.strictObject({ name: text(128), version: text(64) }).optional(),
      })
      .prefault({}),
    skus: z.array(skuSchema).min(1).max(9).optional(),
  })
  .superRefine((model, context) => {
    for (const [index, sku] of (model.skus ?? []).entries()) {
      const path = ['skus', index]
      const missing = missingUnit(sku)
      if (missing)
        context.addIssue({ code: 'custom', path: [...path, missing], message: 'what a unit of this SKU is worth' })
      const { minimum, maximum, step } = sku.capacity
      if (minimum > maximum)
        context.addIssue({
          code: 'custom',
          path: [...path, 'capacity', 'minimum'],
          message: `at most the maximum, ${maximum}`,
        })
      if (minimum % step !== 0)
        context.addIssue({
          code: 'custom',
          path: [...path, 'capacity', 'minimum'],
          message: `a multiple of the step, ${step}`,
        })
    }
  })

type SkuEntry = z.output<typeof skuSchema>

/** The field without which the SKU says nothing. */
function missingUnit(sku: SkuEntry): keyof SkuEntry | undefined {
  const { family } = skus[sku.name]
  if (family === 'provisioned') return sku.inputTokensPerMinute === undefined ? 'inputTokensPerMinute' : undefined
  if (family === 'batch') return sku.enqueuedTokens === undefined ? 'enqueuedTokens' : undefined
  return sku.tokensPerMinute === undefined && sku.requestsPerMinute === undefined ? 'tokensPerMinute' : undefined
}

export function describeEntry(entry: z.output<typeof modelEntrySchema>): CatalogModel {
  const { lifecycle, skus: own, default: isDefaultVersion, ...model } = entry
  return {
    ...model,
    isDefaultVersion,
    publisher: model.publisher,
    description: model.description,
    type: model.type,
    maxContextTokens: model.maxContextTokens,
    maxOutputTokens: model.maxOutputTokens,
    lifecycle: {
      status: lifecycle.status,
      retiresAt: lifecycle.retiresAt === undefined ? undefined : Date.parse(lifecycle.retiresAt),
      replacement: lifecycle.replacement,
    },
    skus: own ? own.map(describeSku) : genericSkus,
    runsOn: [...protocols],
    source: 'operator',
  }
}

function describeSku({ name, capacity, ...unit }: SkuEntry): CatalogSku {
  return {
    name,
    capacity: { ...capacity, default: capacity.default ?? capacity.minimum },
    perUnit: describeUnit(name, unit),
  }
}

function describeUnit(name: SkuName, unit: Omit<SkuEntry, 'name' | 'capacity'>): UnitValue {
  switch (skus[name].family) {
    case 'provisioned':
      return {
        kind: 'provisioned',
        inputTokensPerMinute: unit.inputTokensPerMinute as number,
        outputWeight: unit.outputWeight,
      }
    case 'batch':
      return { kind: 'enqueued', tokens: unit.enqueuedTokens as number }
    case 'standard':
      return { kind: 'rate', tokensPerMinute: unit.tokensPerMinute, requestsPerMinute: unit.requestsPerMinute }
  }
}
