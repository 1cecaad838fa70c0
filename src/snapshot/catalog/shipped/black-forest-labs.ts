import { defineModels, rates, standardSkus } from './define.ts'

const byRequest = standardSkus(rates.byRequest, ['GlobalStandard'])

export const blackForestLabsModels = defineModels(
  'Black Forest Labs',
  ['openai', 'foundry'],
  [
    { name: 'FLUX.1-Kontext-pro', versions: ['1'], type: 'images', skus: byRequest },
    { name: 'FLUX-1.1-pro', versions: ['1'], type: 'images', skus: byRequest },
  ],
)
