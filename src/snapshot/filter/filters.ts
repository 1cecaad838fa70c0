import type { FilterPlan } from '../../policy/filter/plan.ts'

/** The compiled content filter policies. */
export type Filters = {
  /**
   * The policy of that name, without regard to case. Throws Fault `filter-unavailable` for one that is there, or that a deployment has, and
   * that cannot be used: what was to be filtered must not go through unfiltered.
   */
  find(name: string): FilterPlan | undefined
}

export const noFilters: Filters = { find: () => undefined }
