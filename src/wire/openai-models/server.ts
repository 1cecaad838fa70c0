import { type Deployment, deploymentKey } from '../../core/deployment.ts'
import type { JsonObject } from '../../core/json.ts'

/** The lists of the Azure OpenAI surfaces: deployments, models as `/openai/v1` lists them, and base models. */

export function writeV1Model(deployment: Deployment): JsonObject {
  return { id: deployment.name, object: 'model', created: deployment.createdAt, owned_by: deployment.model.format }
}

/** A chat deployment comes before others, so that a client that takes the first gets one it can talk to. */
export function writeV1Models(deployments: Iterable<Deployment>): string {
  return JSON.stringify({ object: 'list', data: chatFirst(deployments).map(writeV1Model) })
}

export function writeDeployments(deployments: Iterable<Deployment>): string {
  const data = chatFirst(deployments).map((deployment) => ({
    id: deployment.name,
    object: 'deployment',
    model: deployment.model.name,
    owner: 'organization-owner',
    scale_settings: { scale_type: 'standard' },
    status: 'succeeded',
    created_at: deployment.createdAt,
    updated_at: deployment.createdAt,
  }))
  return JSON.stringify({ object: 'list', data })
}

/** When a model will be withdrawn has to be told, in unix seconds; nobody withdraws these: the year 2100. */
const noEnd = 4_102_444_800

/** One entry per model and version that is deployed, whatever number of deployments it has. */
export function writeBaseModels(deployments: Iterable<Deployment>): string {
  const models = new Map<string, JsonObject>()
  for (const deployment of deployments) {
    const id = deployment.servedModel
    if (!models.has(deploymentKey(id))) models.set(deploymentKey(id), writeBaseModel(id, deployment))
  }
  return JSON.stringify({ object: 'list', data: [...models.values()] })
}

function writeBaseModel(id: string, { kinds, createdAt }: Deployment): JsonObject {
  return {
    id,
    object: 'model',
    status: 'succeeded',
    created_at: createdAt,
    updated_at: createdAt,
    capabilities: {
      fine_tune: false,
      inference: true,
      completion: kinds.has('completion'),
      chat_completion: kinds.has('chat'),
      embeddings: kinds.has('embed'),
    },
    lifecycle_status: 'generally-available',
    deprecation: { inference: noEnd },
  }
}

function chatFirst(deployments: Iterable<Deployment>): Deployment[] {
  return [...deployments].sort(
    (a, b) => Number(b.kinds.has('chat')) - Number(a.kinds.has('chat')) || a.name.localeCompare(b.name),
  )
}
