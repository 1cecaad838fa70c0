export type BatchSettings = {
  /**
   * What happens where the hosted services differ. `azure`: work goes on after its window, and every batch that ran gets both files,
   * empty ones too. `openai`: what is not answered when the window ends expires, and a file without a line is not made.
   */
  readonly behaviour: 'azure' | 'openai'
  /** How long after its creation a batch has to be done. */
  readonly windowMs: number
  readonly maxLines: number
  readonly maxInputBytes: number
  /** Of one line, which is held whole. */
  readonly maxLineBytes: number
  /** So many mistakes of an input are told; reading ends there. */
  readonly maxProblems: number
  /** Lines that are added to the table at once: a database that answers one caller after the other is busy for so long. */
  readonly portionLines: number
  /** Tokens that waiting lines of a deployment may hold whose SKU does not say. */
  readonly maxEnqueuedTokens: number
  /** Lines of one process that run at once while nobody else calls, and while somebody does. */
  readonly maxConcurrency: number
  readonly minConcurrency: number
  /** Between the beginnings of two lines while somebody else calls. */
  readonly busySpacingMs: number
  /** After that an answer is not waited for any more, and asked for again. */
  readonly lineTimeoutMs: number
  /** Of lines that go upstream as one batch, where the upstream takes as many; they are held in memory on their way. */
  readonly upstreamLines: number
  readonly upstreamBytes: number
  /** Between two looks at a batch upstream: at first, and when it takes long. */
  readonly upstreamPollMs: number
  readonly upstreamLongestPollMs: number
  /** An order whose answer was not seen may turn up upstream for so long. */
  readonly upstreamDoubtMs: number
  /** How long lines that run when their batch ends early may take to come to their end. */
  readonly graceMs: number
}

const mib = 1024 * 1024
const minuteMs = 60_000

export const defaultSettings: BatchSettings = {
  behaviour: 'azure',
  windowMs: 24 * 60 * minuteMs,
  maxLines: 100_000,
  maxInputBytes: 200 * mib,
  maxLineBytes: 16 * mib,
  maxProblems: 100,
  portionLines: 500,
  maxEnqueuedTokens: 200_000_000,
  maxConcurrency: 64,
  minConcurrency: 2,
  busySpacingMs: 10,
  lineTimeoutMs: 10 * minuteMs,
  upstreamLines: 50_000,
  upstreamBytes: 32 * mib,
  upstreamPollMs: 2_000,
  upstreamLongestPollMs: minuteMs,
  upstreamDoubtMs: 30_000,
  graceMs: 10_000,
}
