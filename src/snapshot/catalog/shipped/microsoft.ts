import { defineModels, rates, standardSkus } from './define.ts'

const standard = standardSkus(rates.even, ['GlobalStandard'])

/** The service names no versions of these; 1 is what a model without one has here. */
export const microsoftModels = defineModels(
  'Microsoft',
  ['openai', 'foundry'],
  [
    { name: 'Phi-4', versions: ['1'], type: 'chat', skus: standard },
    { name: 'Phi-4-mini-instruct', versions: ['1'], type: 'chat', skus: standard },
    { name: 'Phi-4-mini-reasoning', versions: ['1'], type: 'chat', skus: standard },
    { name: 'Phi-4-multimodal-instruct', versions: ['1'], type: 'chat', skus: standard },
    { name: 'Phi-4-reasoning', versions: ['1'], type: 'chat', skus: standard },
  ],
)
