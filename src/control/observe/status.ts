import type { CapacityRules } from '../../snapshot/capacity/judge-capacity.ts'
import { describeOverdrawn } from '../../snapshot/capacity/quota.ts'
import type { QuotaState } from '../../snapshot/capacity/quota-state.ts'
import type { DesiredState } from '../../snapshot/desired-state.ts'
import type { Status } from '../api.ts'
import type { Answer } from '../http/answer.ts'

export type StatusOptions = {
  readonly state: DesiredState
  readonly quota: QuotaState
  capacityRules(): Pick<CapacityRules, 'elsewhere'>
  /** What the composition root knows. */
  readStatus(): Omit<Status, 'deployments' | 'warnings'>
  listOwnWarnings(): readonly string[]
}

export function showStatus({ state, quota, capacityRules, readStatus, listOwnWarnings }: StatusOptions): Answer {
  const specs = state.list().map(({ spec }) => spec)
  const all = [...specs, ...(capacityRules().elsewhere ?? []).map(({ spec }) => spec)]
  const warnings = [...state.listWarnings(), ...describeOverdrawn(quota.list(), all), ...listOwnWarnings()]
  const body: Status = { ...readStatus(), deployments: specs.length, warnings }
  return { status: 200, body }
}
