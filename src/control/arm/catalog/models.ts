import type { CatalogModel } from '../../../snapshot/catalog/catalog.ts'
import { type FindOptions, findAccount } from '../accounts/find-account.ts'
import { type ArmRoute, isSameName, ofAccount, ofLocation, paramOf, route } from '../http/arm-route.ts'
import { pageOf } from '../http/page.ts'
import { viewArmModel } from './view-model.ts'

/** The kind of account that serves the models of its namesake alone; the other kind serves all. */
const narrowKind = 'OpenAI'

type Offered = { readonly model: CatalogModel; readonly kind: string }

/** Models that may be deployed: of an account, and anywhere. All places have the same. */
export function listModelRoutes(options: FindOptions): readonly ArmRoute[] {
  return [
    route('GET', `${ofAccount}/models`, 'accounts/models/read', async (_, visit) => {
      const { spec, routes } = await findAccount(options, visit)
      const models = routes.capacityRules().catalog.list()
      const served = spec.kind === narrowKind ? models.filter(isNarrow) : models
      return pageOf(visit, served.toSorted(byKey), keyOf, viewArmModel)
    }),
    route('GET', `${ofLocation}/models`, 'locations/models/read', async (_, visit) => {
      const location = paramOf(visit, 'location')
      const { catalog } = options.accounts.own().routes.capacityRules()
      const offered = catalog
        .list()
        .toSorted(byKey)
        .flatMap((model): Offered[] => [
          { model, kind: 'AIServices' },
          ...(isNarrow(model) ? [{ model, kind: narrowKind }] : []),
        ])
      return pageOf(
        visit,
        offered,
        ({ model, kind }) => `${keyOf(model)}\n${kind}`,
        ({ model, kind }) => ({
          model: viewArmModel(model),
          kind,
          skuName: 'S0',
          description: model.description ?? `${model.name} ${model.version} in ${location}`,
        }),
      )
    }),
  ]
}

function isNarrow({ format }: CatalogModel): boolean {
  return isSameName(format, narrowKind)
}

/** What pages go by; a model has one for each publisher and version. */
function keyOf({ name, format, version }: CatalogModel): string {
  return [name, format, version].join('\n')
}

function byKey(a: CatalogModel, b: CatalogModel): number {
  return keyOf(a).toLowerCase() < keyOf(b).toLowerCase() ? -1 : 1
}
