import type { Json, JsonObject } from '../../../core/json.ts'
import type { Problem } from './check-line.ts'

/** How far the reading of an input is. It is noted as it is, so that another worker goes on from there. */
export type Progress = {
  /** Lines and bytes that have been read. */
  line: number
  offset: number
  /** Lines that are requests, and what they hold of the deployment's quota. */
  total: number
  tokens: number
  /** The first one that is named. */
  model: string | undefined
  /** Of the whole file, when reading began. */
  readonly fileBytes: number
  readonly problems: Problem[]
}

export function beginProgress(fileBytes: number): Progress {
  return { line: 0, offset: 0, total: 0, tokens: 0, model: undefined, fileBytes, problems: [] }
}

export function writeProgress({ model, problems, ...counts }: Progress): JsonObject {
  return { validated: { ...counts, model: model ?? null, problems: problems as unknown as Json[] } }
}

/** undefined where nothing is noted; of a batch that is validated nothing else is than what `writeProgress` wrote. */
export function readProgress({ validated }: JsonObject): Progress | undefined {
  if (validated === undefined) return undefined
  const { model, ...counts } = validated as unknown as Omit<Progress, 'model'> & { readonly model: string | null }
  return { ...counts, model: model ?? undefined, problems: [...counts.problems] }
}
