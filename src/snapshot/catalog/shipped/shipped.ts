import type { CatalogModel } from '../catalog.ts'
import { blackForestLabsModels } from './black-forest-labs.ts'
import { cohereModels } from './cohere.ts'
import { deepseekModels } from './deepseek.ts'
import { metaModels } from './meta.ts'
import { microsoftModels } from './microsoft.ts'
import { mistralModels } from './mistral.ts'
import { openaiModels, openWeightModels } from './openai.ts'
import { xaiModels } from './xai.ts'

/** The models that Ponto knows without being told. */
export const shippedModels: readonly CatalogModel[] = [
  ...openaiModels,
  ...openWeightModels,
  ...blackForestLabsModels,
  ...cohereModels,
  ...deepseekModels,
  ...metaModels,
  ...microsoftModels,
  ...mistralModels,
  ...xaiModels,
]
