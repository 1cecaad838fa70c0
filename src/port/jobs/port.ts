import type { JsonObject } from '../../core/json.ts'

/** A job that a worker has taken. `attempt` is its fence: whoever took it later has a higher one, and nothing an earlier one writes counts. */
export type Job = {
  /** What has to be done: `batch`, `file-expiry`. */
  readonly kind: string
  /** What it is about; one job of a kind at a time. */
  readonly id: string
  /** How far it is, as the last worker noted. */
  readonly state: JsonObject
  /** Who took it, made unlike every other taking: two that have all of kind, id, owner and attempt alike are one taking. */
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
  /** It is done and goes away; where it was woken meanwhile, it is due again instead. Whether it was still held. */
  finish(job: Job): Promise<boolean>
  /**
   * Lets go of everything that owners hold whose names begin so, at once, from the state they noted last: for processes that are known to
   * be dead. One that is alive after all has lost its jobs and writes nothing any more. How many there were.
   */
  releaseOf(owners: string): Promise<number>
  /**
   * Due now, whatever `runAt` says: something has happened to it. One that is held is due again as soon as it is let go, so that its
   * worker cannot have looked too early. Nothing where there is no such job.
   */
  wake(kind: string, id: string): Promise<void>
  /** When the next one is due that nobody holds, or a lease runs out; undefined where there is none. Unix milliseconds. */
  nextDueAt(kinds: readonly string[]): Promise<number | undefined>
}

/** How a run of a handler ends: the job is done, or it goes on at a time (unix milliseconds) from a state. */
export type JobOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'again'; readonly at: number; readonly state: JsonObject }

export type JobContext = {
  /** Aborted when the job is held no more or the server stops. The run has to end soon then; nobody waits for it for long. */
  readonly signal: AbortSignal
  /** How many runs in a row have failed before this one. */
  readonly failures: number
  /** Notes how far it is: where the next run begins, should this one not end. Waits while the store is away; rejects when the job is lost. */
  note(state: JsonObject): Promise<void>
}

/** Does the jobs of one kind. What it does may be done again: by its next run, after a crash by another server. */
export type JobHandler = {
  /** After a crash the job lies still for so long at most. Renewed at a third of it for as long as the run lasts. */
  readonly leaseMs: number
  /**
   * A chore: one job of this kind, made by the worker with the id `chore`, that is due again so long after it was done. Absent for jobs
   * that somebody adds.
   */
  readonly everyMs?: number
  /** How many of this kind one worker does at a time. */
  readonly atOnce?: number
  /**
   * A run that rejects is tried again from the state that was noted last, later each time, for as long as it takes: what cannot succeed
   * any more has to say `done` itself. Faults `storage-unavailable` do not count as failures.
   */
  run(job: Job, context: JobContext): Promise<JobOutcome>
}
