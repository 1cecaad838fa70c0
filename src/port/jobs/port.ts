import type { JsonObject } from '../../core/json.ts'

/** A job that a worker has taken. `attempt` is its fence: whoever took it later has a higher one, and nothing an earlier one writes counts. */
export type Job = {
  /** What has to be done: `batch`, `file-expiry`. */
  readonly kind: string
  /** What it is about; one job of a kind at a time. */
  readonly id: string
  /** How far it is, as the last worker noted. */
  readonly state: JsonObject
  readonly owner: string
  readonly attempt: number
}

export type NewJob = Pick<Job, 'kind' | 'id' | 'state'> & {
  /** Not before; unix milliseconds. */ readonly runAt: number
}

/**
 * Durable work, the one mechanism for all of it. A worker takes a job for the length of a lease and renews that as long as it works; a
 * worker that dies lets it run out, and another one goes on from the state that was noted. What is done may be done again; what is
 * written under the fence is written once.
 */
export type Jobs = {
  /** false where a job of that kind and id is there already. */
  add(job: NewJob): Promise<boolean>
  /** Takes the one that has been due for longest and that nobody holds; undefined where there is none. */
  claim(kinds: readonly string[], owner: string, leaseMs: number): Promise<Job | undefined>
  /** Whether it is still held; else the work has to stop. */
  renew(job: Job, leaseMs: number): Promise<boolean>
  /** Notes how far it is, and keeps it. Whether it is still held. */
  note(job: Job, state: JsonObject): Promise<boolean>
  /** Notes how far it is and lets it go until `runAt`. Whether it was still held. */
  release(job: Job, state: JsonObject, runAt: number): Promise<boolean>
  /** It is done and goes away. Whether it was still held. */
  finish(job: Job): Promise<boolean>
  /** Due now, whatever `runAt` says: something has happened to it. Nothing where there is no such job. */
  wake(kind: string, id: string): Promise<void>
  /** When the next one is due that nobody holds, or a lease runs out; undefined where there is none. Unix milliseconds. */
  nextDueAt(kinds: readonly string[]): Promise<number | undefined>
}
