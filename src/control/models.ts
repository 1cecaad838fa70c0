import type { ModelView } from './api.ts'
import type { Answer } from './http/answer.ts'

/** The models the built-in engine can run. */
export function listModels(builtinModels: readonly ModelView[]): Answer {
  return { status: 200, body: { value: builtinModels } }
}
