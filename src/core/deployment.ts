import type { CallKind } from './call.ts'
import type { Backend } from './reply.ts'

export type ModelRef = { readonly format: string; readonly name: string; readonly version: string }

/** What a model is for, and with that the operations of a deployment of it. */
export const modelTypes = {
  chat: ['chat', 'completion'],
  embeddings: ['embed'],
  'image-embeddings': ['image-embed', 'embed'],
  images: ['image', 'image-edit', 'inference-image'],
  audio: ['speech', 'transcribe', 'translate'],
  moderation: ['moderate'],
  rerank: ['rerank'],
} as const satisfies Record<string, readonly CallKind[]>

export type ModelType = keyof typeof modelTypes

export type Route = {
  readonly backend: Backend
  /** Lower is tried first. */
  readonly priority: number
  /** Share among the routes of the same priority. */
  readonly weight: number
}

/** A deployment as the data plane reads it: compiled, immutable. */
export type Deployment = {
  readonly name: string
  readonly model: ModelRef
  /** Absent when the operator did not say: then the deployment offers whatever its backends can do. */
  readonly modelType?: ModelType | undefined
  /** The name answers carry in `model`: model name and version, as the vendor writes dated snapshots. */
  readonly servedModel: string
  readonly kinds: ReadonlySet<CallKind>
  /** Sorted by priority. */
  readonly routes: readonly Route[]
  /** Unix seconds. */
  readonly createdAt: number
}

/** The key under which a deployment is found: names match without regard to case. */
export function deploymentKey(name: string): string {
  return name.toLowerCase()
}
