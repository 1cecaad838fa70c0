import type { DesiredState } from '../snapshot/desired-state.ts'
import type { Status } from './api.ts'
import type { Answer } from './http/answer.ts'

export type StatusOptions = {
  readonly state: DesiredState
  /** What the composition root knows. */
  readStatus(): Omit<Status, 'deployments' | 'warnings'>
}

export function showStatus({ state, readStatus }: StatusOptions): Answer {
  const body: Status = { ...readStatus(), deployments: state.list().length, warnings: state.listWarnings() }
  return { status: 200, body }
}
