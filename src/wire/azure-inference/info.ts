import type { Deployment } from '../../core/deployment.ts'

/** `GET /info`: what the deployment's model is. The spelling of `model_type` changed with the API version. */
export function writeModelInfo(deployment: Deployment, apiVersion: string): string {
  const isUnderscored = apiVersion === '2025-04-01' || apiVersion === '2025-05-01'
  const chat = isUnderscored ? 'chat_completion' : 'chat-completion'
  return JSON.stringify({
    model_name: deployment.model.name,
    model_type: deployment.kinds.has('chat') ? chat : 'embeddings',
    model_provider_name: deployment.model.format,
  })
}
