import type { Deployment, ModelType } from '../../core/deployment.ts'

/** The API has no word for the types it does not serve; those are text models to it. */
const typeNames: Readonly<Record<ModelType, string>> = {
  chat: 'chat_completion',
  embeddings: 'embeddings',
  'image-embeddings': 'image_embeddings',
  images: 'image_generation',
  audio: 'audio_generation',
  moderation: 'text_generation',
  rerank: 'text_generation',
}

/** Versions that write `chat_completion`; all others write `chat-completion`. */
const underscoredVersions: ReadonlySet<string> = new Set(['2025-04-01', '2025-05-01'])

/** `GET /info`: what the deployment's model is. */
export function writeModelInfo({ model, modelType, kinds }: Deployment, apiVersion: string): string {
  const type = modelType ?? (kinds.has('chat') ? 'chat' : 'embeddings')
  const isHyphened = type === 'chat' && !underscoredVersions.has(apiVersion)
  return JSON.stringify({
    model_name: model.name,
    model_type: isHyphened ? 'chat-completion' : typeNames[type],
    model_provider_name: model.format,
  })
}
