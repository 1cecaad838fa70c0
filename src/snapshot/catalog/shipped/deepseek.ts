import { defineModels, provisionedSkus, rates, standardSkus } from './define.ts'

const standard = standardSkus(rates.even, ['GlobalStandard', 'DataZoneStandard'])
const provisioned = provisionedSkus({
  inputTokensPerMinute: 4_000,
  outputWeight: 4,
  wide: [100, 100],
  regional: undefined,
})
const long = { maxContextTokens: 128_000, maxOutputTokens: 128_000 } as const

export const deepseekModels = defineModels(
  'DeepSeek',
  ['openai', 'foundry'],
  [
    { name: 'DeepSeek-V3.2', versions: ['1'], type: 'chat', ...long, skus: standard },
    { name: 'DeepSeek-V3.1', versions: ['1'], type: 'chat', skus: standard },
    { name: 'DeepSeek-V3-0324', versions: ['1'], type: 'chat', skus: [...standard, ...provisioned] },
    { name: 'DeepSeek-R1-0528', versions: ['1'], type: 'chat', skus: standard },
    { name: 'DeepSeek-R1', versions: ['1'], type: 'chat', skus: [...standard, ...provisioned] },
  ],
)
