import type { Json } from '../../../core/json.ts'

/** What somebody changed, or tried to. */
export type AuditRow = {
  readonly id: string
  /** Unix milliseconds. */
  readonly at: number
  /** Who: `operator` (the management credential) or `token`, with the id and the name that the token gives. */
  readonly actorKind: string
  readonly actorId: string
  readonly actorName: string
  /** From which address, as far as it is known. */
  readonly address: string
  /** What one must be allowed to do, as Azure names it, below `Microsoft.CognitiveServices/`. */
  readonly action: string
  /** Path of what it was done to. */
  readonly target: string
  readonly status: number
  /** Of a refusal. */
  readonly code: string | undefined
  /** What was there, and what is there now; undefined where there was or is nothing. Without secrets. */
  readonly before: Json | undefined
  readonly after: Json | undefined
  /** Also in the server's log and in the answer. */
  readonly requestId: string
}

export type AuditQuery = {
  /** Unix milliseconds, `to` not included. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly actor?: string | undefined
  /** What the action begins with. */
  readonly action?: string | undefined
  /** What the target begins with, without regard to case. */
  readonly target?: string | undefined
  /** Only those before this one, in the order of the list. */
  readonly after?: Pick<AuditRow, 'at' | 'id'> | undefined
  readonly limit: number
}

/** Only ever grows: there is no way to change a row or to take one away. */
export type AuditTable = {
  append(row: AuditRow): Promise<void>
  /** The newest first. */
  list(query: AuditQuery): Promise<AuditRow[]>
}
