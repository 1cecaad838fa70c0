import { type FilterCategory, filterCategories } from '../../core/filter/categories.ts'
import {
  type EngineKindRow,
  type EngineOptions,
  type OptionRow,
  type OptionValue,
  recordOption,
} from '../../wire/guards/option-row.ts'
import { guardProfiles, type ProfileName, type ProfileRow } from '../../wire/guards/profile-kinds.ts'
import { type ServiceKind, serviceKinds } from '../../wire/guards/service-kinds.ts'

export { type EngineOptions, guardProfiles, type OptionValue, type ProfileName, type ProfileRow }

export type EngineKind = 'guard' | ServiceKind

/** Every kind of engine an operator can configure, and what each needs. */
export const engineKinds: Readonly<Record<EngineKind, EngineKindRow>> = {
  guard: {
    categories: [...new Set(Object.values(guardProfiles).flatMap((row): readonly FilterCategory[] => row.categories))],
    deployment: 'required',
    url: 'none',
    credential: 'none',
    maxChars: 8_000,
    options: {},
  },
  ...serviceKinds,
}

/** An engine as the operator configured it, its secret resolved. */
export type EngineSpec = {
  readonly name: string
  readonly kind: EngineKind
  /** Of `guard`: the deployment of ours that judges. */
  readonly deployment?: string | undefined
  /** Of `guard`: how it is asked. */
  readonly profile?: ProfileName | undefined
  /** Of services: the address, with a path where the service is not at the root. */
  readonly url?: string | undefined
  readonly apiVersion?: string | undefined
  readonly credential?: string | undefined
  /** By name, as the kind's or profile's table lists them. */
  readonly options?: EngineOptions | undefined
  /** Milliseconds for a prompt and for a window of an answer; `defaultDeadlineMs` when absent. */
  readonly deadlineMs?: { readonly prompt: number; readonly window: number } | undefined
  readonly maxChars?: number | undefined
}

export const defaultDeadlineMs = { prompt: 1500, window: 800 } as const

/** The categories that an engine can judge: those of its kind or profile, and those that its operator gives labels to. */
export function judgedCategories(spec: Pick<EngineSpec, 'kind' | 'profile' | 'options'>): ReadonlySet<FilterCategory> {
  const row: { readonly categories: readonly FilterCategory[] } =
    spec.kind === 'guard' && spec.profile ? guardProfiles[spec.profile] : engineKinds[spec.kind]
  const mapped = Object.values(recordOption(spec.options ?? {}, 'labels')).filter((name): name is FilterCategory =>
    Object.hasOwn(filterCategories, name),
  )
  return new Set([...row.categories, ...mapped])
}

/** The options that an engine of that kind and profile takes. */
export function optionRows(spec: Pick<EngineSpec, 'kind' | 'profile'>): Readonly<Record<string, OptionRow>> {
  return spec.kind === 'guard' && spec.profile ? guardProfiles[spec.profile].options : engineKinds[spec.kind].options
}
