import type { Deployment, ModelRef } from '../../core/deployment.ts'
import { Fault } from '../../core/fault.ts'
import { nearestNames } from '../../core/text/nearest-names.ts'
import type { CapacityRules } from '../../snapshot/capacity/judge-capacity.ts'
import type { CatalogModel } from '../../snapshot/catalog/catalog.ts'
import type { DesiredState } from '../../snapshot/desired-state.ts'
import type { ModelView } from '../api.ts'
import type { Answer } from '../http/answer.ts'

export type ModelsOptions = {
  readonly state: DesiredState
  capacityRules(): CapacityRules
  /** The deployment as the data plane has it now. */
  findCompiled(name: string): Deployment | undefined
}

/** The catalog: what the built-in engine runs, the models that come with Ponto, and the operator's own. */
export function listModels(options: ModelsOptions): Answer {
  return { status: 200, body: { value: viewModels(options.capacityRules().catalog.list(), options) } }
}

/** All versions of one model, the default one first. */
export function showModel(options: ModelsOptions, name: string): Answer {
  const { catalog } = options.capacityRules()
  const versions = catalog.versionsOf(name)
  if (versions.length > 0) return { status: 200, body: { value: viewModels(versions, options) } }
  const nearest = nearestNames(name, new Set(catalog.list().map((model) => model.name)))
  const hint = nearest.length > 0 ? ` Did you mean ${nearest.map((near) => `"${near}"`).join(' or ')}?` : ''
  throw new Fault('not-found', `There is no model ${JSON.stringify(name)} in the catalog.${hint}`)
}

function viewModels(models: readonly CatalogModel[], { state, findCompiled }: ModelsOptions): ModelView[] {
  const users = Map.groupBy(state.list(), ({ spec }) => modelKey(findCompiled(spec.name)?.model ?? spec.model))
  return models.map((model) => viewModel(model, users.get(modelKey(model))?.map(({ spec }) => spec.name) ?? []))
}

function modelKey({ format, name, version }: ModelRef): string {
  return JSON.stringify([format, name, version]).toLowerCase()
}

function viewModel({ lifecycle, source, ...model }: CatalogModel, deployments: readonly string[]): ModelView {
  const { status, retiresAt, replacement } = lifecycle
  return {
    ...model,
    description: model.description ?? '',
    lifecycle: {
      status,
      ...(retiresAt !== undefined && { retiresAt: new Date(retiresAt).toISOString() }),
      ...(replacement && { replacement }),
    },
    deployments,
    source,
  }
}
