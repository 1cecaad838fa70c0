export type RunSettings = {
  /** Runs of one process that are gone on with at the same time; others wait in the table. */
  readonly atOnce: number
  /** How long a run lies still after its server has died. */
  readonly leaseMs: number
  /** How often a model may be asked within one run: one that calls tools for ever ends there. */
  readonly maxTurns: number
  /** What a run without an end of its own may last. */
  readonly longestMs: number
  /** A model that is busy is asked again, where it says to come back so soon, and so often. */
  readonly longestRetryMs: number
  readonly maxRetries: number
  /** Tokens of a prompt where nothing says what the model takes. */
  readonly contextTokens: number
  /** Of these for the answer, where the run does not say. */
  readonly answerTokens: number
  /** Items of a thread that a model is shown. */
  readonly maxItems: number
  /** Bytes of one file of a message that goes along to the model. */
  readonly maxFileBytes: number
  /** Between two writes of what a run tells, while it is the only one; with many, writes are further apart. */
  readonly flushMs: number
  readonly longestFlushMs: number
  /** Writes a second of all runs together. */
  readonly flushesPerSecond: number
  /** Between two looks of a follower whose run is on another server. */
  readonly firstPollMs: number
  readonly lastPollMs: number
  /** Between two looks of a run that tells nothing, whether somebody cancels it elsewhere. */
  readonly lookMs: number
}

const minuteMs = 60_000

export const defaultSettings: RunSettings = {
  atOnce: 2_000,
  leaseMs: 12_000,
  maxTurns: 32,
  longestMs: 60 * minuteMs,
  longestRetryMs: 10_000,
  maxRetries: 3,
  contextTokens: 128_000,
  answerTokens: 4_096,
  maxItems: 2_000,
  maxFileBytes: 20 * 1024 * 1024,
  flushMs: 40,
  longestFlushMs: 1_500,
  flushesPerSecond: 250,
  firstPollMs: 50,
  lastPollMs: 500,
  lookMs: 1_500,
}
