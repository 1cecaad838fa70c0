import type { FilterCategory } from '../../core/filter/categories.ts'

/** What an engine may be told besides address and credential: read by what checks configuration, and by the docs. */
export type OptionRow = {
  /**
   * `label-map`: an object of the engine's labels to the name of a category, or to `none`. `calibration`: an object of `low`,
   * `medium` and `high`, the least score (0 to 1) of each level.
   */
  readonly type: 'text' | 'texts' | 'number' | 'label-map' | 'calibration'
  readonly isRequired: boolean
  /** The values allowed, where they are few. */
  readonly allowed?: readonly string[] | undefined
  /** What a text must look like; `about` says it in words. */
  readonly pattern?: RegExp | undefined
  /** Bounds of a number. */
  readonly least?: number | undefined
  readonly most?: number | undefined
  readonly about: string
}

/** What is asked of the operator for an engine of a kind. */
export type EngineKindRow = {
  /** Those it can judge. Of `guard`, all that any profile can; the profile says which. */
  readonly categories: readonly FilterCategory[]
  readonly deployment: 'required' | 'none'
  readonly url: 'required' | 'optional' | 'none'
  /** The address where `url` is left out. */
  readonly defaultUrl?: string | undefined
  readonly credential: 'required' | 'optional' | 'none'
  /** The version asked for when none is configured; absent where the API has none to choose. */
  readonly apiVersion?: string | undefined
  /** How many characters it takes at once when nothing else is configured. */
  readonly maxChars: number
  readonly options: Readonly<Record<string, OptionRow>>
}

export type OptionValue = string | number | readonly string[] | Readonly<Record<string, string | number>>

/** What the operator set, by name. Judged against the rows before it gets to an engine. */
export type EngineOptions = Readonly<Record<string, OptionValue>>

export function textOption(options: EngineOptions, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

export function numberOption(options: EngineOptions, name: string): number | undefined {
  const value = options[name]
  return typeof value === 'number' ? value : undefined
}

export function textsOption(options: EngineOptions, name: string): readonly string[] {
  const value = options[name]
  return Array.isArray(value) ? value : []
}

export function recordOption(options: EngineOptions, name: string): Readonly<Record<string, string | number>> {
  const value = options[name]
  return typeof value === 'object' && !Array.isArray(value) ? (value as Readonly<Record<string, string | number>>) : {}
}
