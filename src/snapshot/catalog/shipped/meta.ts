import { defineModels, provisionedSkus, rates, standardSkus } from './define.ts'

const standard = standardSkus(rates.even, ['GlobalStandard'])

/** The service names no versions of these; 1 is what a model without one has here. */
export const metaModels = defineModels(
  'Meta',
  ['openai', 'foundry'],
  [
    {
      name: 'Llama-3.3-70B-Instruct',
      versions: ['1'],
      type: 'chat',
      maxContextTokens: 128_000,
      maxOutputTokens: 8_192,
      skus: [
        ...standard,
        ...provisionedSkus({ inputTokensPerMinute: 8_450, outputWeight: 4, wide: [100, 100], regional: undefined }),
      ],
    },
    { name: 'Llama-4-Maverick-17B-128E-Instruct-FP8', versions: ['1'], type: 'chat', skus: standard },
    { name: 'Llama-4-Scout-17B-16E-Instruct', versions: ['1'], type: 'chat', skus: standard },
  ],
)
