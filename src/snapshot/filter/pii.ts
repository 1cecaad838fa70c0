import { createPiiRule } from '../../policy/filter/pii/pii-rule.ts'
import { piiTypes } from '../../policy/filter/pii/pii-types.ts'
import type { PiiAction, PiiRule } from '../../policy/filter/plan.ts'
import type { ResolvedFilter } from './resolve-policy.ts'

/** What is done with personal data: by type where the policy names types, else the same with all of them. */
export function compilePii({ piiTypes: chosen, blocking, restoresRedacted }: ResolvedFilter): PiiRule {
  const action: PiiAction = blocking ? 'block' : 'annotate'
  const all = Object.keys(piiTypes).map((type) => ({ type, action }))
  const actions = new Map((chosen ?? all).map((entry) => [entry.type, entry.action]))
  return createPiiRule(actions, restoresRedacted)
}
