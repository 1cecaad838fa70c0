import { defineModels, rates, standardSkus } from './define.ts'

const standard = standardSkus(rates.even, ['GlobalStandard'])

export const mistralModels = defineModels(
  'Mistral AI',
  ['openai', 'foundry'],
  [
    { name: 'Mistral-Large-3', versions: ['1'], type: 'chat', skus: standard },
    { name: 'mistral-medium-2505', versions: ['1'], type: 'chat', skus: standard },
    { name: 'mistral-small-2503', versions: ['1'], type: 'chat', skus: standard },
    { name: 'Ministral-3B', versions: ['1'], type: 'chat', skus: standard },
    { name: 'Codestral-2501', versions: ['2'], type: 'chat', skus: standard },
  ],
)
