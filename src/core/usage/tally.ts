import type { Usage } from './usage.ts'

/** What is known of a call's cost so far. Whoever sees the answer pass fills it in; it is read once, when the call has ended. */
export type Tally = {
  /** As the serving model counted; absent until it has said so. */
  usage: Usage | undefined
  /** Pieces of text the answer has brought: about a token each where a stream broke off before its usage. */
  pieces: number
}

export function openTally(): Tally {
  return { usage: undefined, pieces: 0 }
}
