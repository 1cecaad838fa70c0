import type { CatalogSku } from '../catalog.ts'
import {
  batchSkus,
  defineModels,
  provisionedSkus,
  type Rate,
  rates,
  type ShippedModel,
  standardSkus,
} from './define.ts'

const everywhere = ['GlobalStandard', 'DataZoneStandard', 'Standard'] as const
const servers = ['openai', 'azure-openai', 'foundry'] as const

/** Least number and step of provisioned units in one region; globally there are 15, in steps of 5. */
const large = [50, 50] as const
const small = [25, 25] as const

function chat(
  rate: Rate,
  inputTokensPerMinute: number,
  outputWeight: number,
  regional: readonly [number, number],
): CatalogSku[] {
  return [
    ...standardSkus(rate, everywhere),
    ...provisionedSkus({ inputTokensPerMinute, outputWeight, wide: [15, 5], regional }),
    ...batchSkus(),
  ]
}

function standard(rate: Rate): CatalogSku[] {
  return standardSkus(rate, everywhere)
}

const byRequest = standardSkus(rates.byRequest, ['GlobalStandard', 'Standard'])
/** Fine-tuned models can be tried out in the developer tier. */
const tuned = standardSkus(rates.classic, ['DeveloperTier'])
const embeddings = [...standard(rates.classic), ...batchSkus()]

const wide = { maxContextTokens: 1_050_000, maxOutputTokens: 128_000 } as const
const gpt5 = { maxContextTokens: 400_000, maxOutputTokens: 128_000 } as const
const gpt41 = { maxContextTokens: 1_047_576, maxOutputTokens: 32_768 } as const
const gpt4o = { maxContextTokens: 128_000, maxOutputTokens: 16_384 } as const
const reasoning = { maxContextTokens: 200_000, maxOutputTokens: 100_000 } as const
const responsesOnly = { responses: 'true' } as const

const chatModels: readonly ShippedModel[] = [
  { name: 'gpt-5.5', versions: ['2026-04-24'], type: 'chat', ...wide, skus: standard(rates.even) },
  { name: 'gpt-5.4', versions: ['2026-03-05'], type: 'chat', ...wide, skus: chat(rates.even, 2_400, 6, large) },
  {
    name: 'gpt-5.4-mini',
    versions: ['2026-03-17'],
    type: 'chat',
    ...gpt5,
    skus: [...standard(rates.even), ...batchSkus()],
  },
  { name: 'gpt-5.4-nano', versions: ['2026-03-17'], type: 'chat', ...gpt5, skus: standard(rates.even) },
  { name: 'gpt-5.2', versions: ['2025-12-11'], type: 'chat', ...gpt5, skus: chat(rates.even, 3_400, 8, large) },
  { name: 'gpt-5.1', versions: ['2025-11-13'], type: 'chat', ...gpt5, skus: chat(rates.even, 4_750, 8, large) },
  { name: 'gpt-5', versions: ['2025-08-07'], type: 'chat', ...gpt5, skus: chat(rates.even, 4_750, 8, large) },
  { name: 'gpt-5-mini', versions: ['2025-08-07'], type: 'chat', ...gpt5, skus: chat(rates.even, 23_750, 8, small) },
  { name: 'gpt-5-nano', versions: ['2025-08-07'], type: 'chat', ...gpt5, skus: standard(rates.even) },
  { name: 'gpt-4.1', versions: ['2025-04-14'], type: 'chat', ...gpt41, skus: chat(rates.even, 3_000, 4, large) },
  { name: 'gpt-4.1-mini', versions: ['2025-04-14'], type: 'chat', ...gpt41, skus: chat(rates.even, 14_900, 4, small) },
  { name: 'gpt-4.1-nano', versions: ['2025-04-14'], type: 'chat', ...gpt41, skus: chat(rates.even, 59_400, 4, small) },
  { name: 'o3', versions: ['2025-04-16'], type: 'chat', ...reasoning, skus: chat(rates.even, 3_000, 4, large) },
  { name: 'o4-mini', versions: ['2025-04-16'], type: 'chat', ...reasoning, skus: chat(rates.even, 5_400, 4, small) },
  {
    name: 'o3-mini',
    versions: ['2025-01-31'],
    type: 'chat',
    ...reasoning,
    skus: [...standard(rates.slow), ...batchSkus()],
  },
  { name: 'o1', versions: ['2024-12-17'], type: 'chat', ...reasoning, skus: standard(rates.o1) },
  {
    name: 'gpt-4o',
    versions: ['2024-11-20', '2024-08-06', { version: '2024-05-13', maxOutputTokens: 4_096 }],
    type: 'chat',
    ...gpt4o,
    skus: [...chat(rates.classic, 2_500, 4, large), ...tuned],
  },
  {
    name: 'gpt-4o-mini',
    versions: ['2024-07-18'],
    type: 'chat',
    ...gpt4o,
    skus: [...chat(rates.classic, 37_000, 4, small), ...tuned],
  },
  { name: 'gpt-35-turbo', versions: ['0125', '1106'], type: 'chat', skus: standard(rates.classic) },
]

/** Models that the service serves through its responses API alone. */
const responsesModels: readonly ShippedModel[] = (
  [
    { name: 'gpt-5.3-codex', versions: ['2026-02-24'], ...gpt5, skus: chat(rates.even, 3_400, 8, large) },
    { name: 'gpt-5.2-codex', versions: ['2026-01-14'], ...gpt5, skus: chat(rates.even, 3_400, 8, large) },
    { name: 'gpt-5.1-codex', versions: ['2025-11-13'], ...gpt5, skus: chat(rates.even, 4_750, 8, large) },
    { name: 'o3-pro', versions: ['2025-06-10'], ...reasoning, skus: standardSkus(rates.slow, ['GlobalStandard']) },
  ] as const
).map((model) => ({ ...model, type: 'chat', capabilities: responsesOnly }))

const otherModels: readonly ShippedModel[] = [
  {
    name: 'text-embedding-3-large',
    versions: ['1'],
    type: 'embeddings',
    maxContextTokens: 8_192,
    skus: embeddings,
  },
  {
    name: 'text-embedding-3-small',
    versions: ['1'],
    type: 'embeddings',
    maxContextTokens: 8_192,
    skus: embeddings,
  },
  {
    name: 'text-embedding-ada-002',
    versions: ['2', { version: '1', maxContextTokens: 2_046 }],
    type: 'embeddings',
    maxContextTokens: 8_192,
    skus: standard(rates.classic),
  },
  { name: 'gpt-image-2', versions: ['2026-04-21'], type: 'images', skus: byRequest },
  { name: 'gpt-image-1.5', versions: ['2025-12-16'], type: 'images', skus: byRequest },
  { name: 'gpt-image-1-mini', versions: ['2025-10-06'], type: 'images', skus: byRequest },
  { name: 'gpt-image-1', versions: ['2025-04-15'], type: 'images', isPreview: true, skus: byRequest },
  { name: 'whisper', versions: ['001'], type: 'audio', skus: byRequest },
  { name: 'gpt-4o-transcribe', versions: ['2025-03-20'], type: 'audio', skus: byRequest },
  { name: 'gpt-4o-mini-transcribe', versions: ['2025-12-15', '2025-03-20'], type: 'audio', skus: byRequest },
  { name: 'gpt-4o-mini-tts', versions: ['2025-12-15', '2025-03-20'], type: 'audio', skus: byRequest },
  { name: 'tts', versions: ['001'], type: 'audio', isPreview: true, skus: byRequest },
  { name: 'tts-hd', versions: ['001'], type: 'audio', skus: byRequest },
]

/** Versions, sizes, ratios and provisioned units as the service's pages gave them in 2026. */
export const openaiModels = defineModels('OpenAI', servers, [...chatModels, ...responsesModels, ...otherModels])

const open = { maxContextTokens: 131_072, maxOutputTokens: 131_072, isPreview: true } as const

/** Models of the same house whose weights are open. */
export const openWeightModels = defineModels('OpenAI-OSS', servers, [
  {
    name: 'gpt-oss-120b',
    versions: ['1'],
    type: 'chat',
    ...open,
    skus: standardSkus(rates.even, ['GlobalStandard']),
  },
])
