import { z } from 'zod'
import type { ModelRef } from '../../core/deployment.ts'
import { type BackendSpec, backendSpecSchema } from '../deployment-spec.ts'

/**
 * Where a model runs when a deployment of it does not say: for tools that know of models and of capacity, and of no backends. Secrets stand
 * in variables, so that what is copied into a deployment is never one.
 */
export const modelBackendsSchema = z.strictObject({
  /** The publisher, where the name alone is not enough; alone: all its models. */
  format: z.string().min(1).max(64).optional(),
  model: z.string().min(1).max(128).optional(),
  backends: z
    .array(
      backendSpecSchema.refine(({ credential }) => !credential || 'env' in credential, {
        path: ['credential'],
        message: '{env: PONTO_SECRET_NAME}, with the secret in that variable: a secret does not belong in this file',
      }),
    )
    .min(1)
    .max(16),
})

export type ModelBackends = z.output<typeof modelBackendsSchema>

/** The backends of the entry that says most of the model: model and publisher, model, publisher. */
export function findModelBackends(
  { name, format }: Pick<ModelRef, 'name'> & { readonly format: string | undefined },
  entries: readonly ModelBackends[],
): readonly BackendSpec[] | undefined {
  const fits = (wanted: string | undefined, is: string | undefined) => wanted === undefined || isSame(wanted, is)
  const ranked = entries
    .filter(
      (entry) => (entry.model ?? entry.format) !== undefined && fits(entry.model, name) && fits(entry.format, format),
    )
    .toSorted((a, b) => weigh(b) - weigh(a))
  return ranked[0]?.backends
}

function weigh({ model, format }: ModelBackends): number {
  return (model === undefined ? 0 : 2) + (format === undefined ? 0 : 1)
}

function isSame(a: string, b: string | undefined): boolean {
  return b !== undefined && a.toLowerCase() === b.toLowerCase()
}
