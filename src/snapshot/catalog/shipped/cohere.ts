import { defineModels, rates, standardSkus } from './define.ts'

const chat = standardSkus(rates.even, ['GlobalStandard'])
const byRequest = standardSkus(rates.byRequest, ['GlobalStandard'])

export const cohereModels = defineModels(
  'Cohere',
  ['openai', 'foundry'],
  [
    {
      name: 'cohere-command-a',
      versions: ['1'],
      type: 'chat',
      maxContextTokens: 131_072,
      maxOutputTokens: 8_182,
      skus: chat,
    },
    { name: 'embed-v-4-0', versions: ['1'], type: 'image-embeddings', skus: chat },
    { name: 'Cohere-embed-v3-english', versions: ['1'], type: 'image-embeddings', skus: chat },
    { name: 'Cohere-embed-v3-multilingual', versions: ['1'], type: 'image-embeddings', skus: chat },
    { name: 'Cohere-rerank-v4.0-pro', versions: ['1'], type: 'rerank', skus: byRequest },
    { name: 'Cohere-rerank-v4.0-fast', versions: ['1'], type: 'rerank', skus: byRequest },
  ],
)
