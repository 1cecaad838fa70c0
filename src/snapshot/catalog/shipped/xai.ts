import { defineModels, rates, standardSkus } from './define.ts'

const standard = standardSkus(rates.even, ['GlobalStandard'])

export const xaiModels = defineModels(
  'xAI',
  ['openai', 'foundry'],
  [
    {
      name: 'grok-4',
      versions: ['1'],
      type: 'chat',
      maxContextTokens: 262_000,
      maxOutputTokens: 8_192,
      skus: standard,
    },
    { name: 'grok-4-1-fast-reasoning', versions: ['1'], type: 'chat', skus: standard },
    { name: 'grok-4-1-fast-non-reasoning', versions: ['1'], type: 'chat', skus: standard },
    {
      name: 'grok-code-fast-1',
      versions: ['1'],
      type: 'chat',
      maxContextTokens: 256_000,
      maxOutputTokens: 8_192,
      skus: standard,
    },
  ],
)
