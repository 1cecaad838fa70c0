import type { SentRequest } from './request-record.ts'
import type { Usage } from './usage.ts'

/** What is known of a call's cost and of its way upstream so far. Whoever sees them pass fills it in; it is read once, when the call has ended. */
export type Tally = {
  /** As the serving model counted; absent until it has said so. */
  usage: Usage | undefined
  /** Pieces of text the answer has brought: about a token each where a stream broke off before its usage. */
  pieces: number
  /** What the backend that was tried last was sent, where that is a request. */
  sent?: SentRequest | undefined
  /** When its answer began, on the clock of `performance.now()`, and with which HTTP status. */
  answeredMs?: number | undefined
  status?: number | undefined
}

export function openTally(): Tally {
  return { usage: undefined, pieces: 0, sent: undefined, answeredMs: undefined, status: undefined }
}
