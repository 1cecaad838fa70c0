/** What became of what was to be sent. */
export type ExportCounts = { sent: number; failed: number; dropped: number }

/** Counts, and tells of a failure once, until it is over. */
export function createOutcome(what: string, onProblem: (text: string) => void) {
  const counts: ExportCounts = { sent: 0, failed: 0, dropped: 0 }
  let hasProblem = false
  return {
    counts,
    settle(count: number, error: Error | undefined): void {
      if (!error) {
        counts.sent += count
        hasProblem = false
        return
      }
      counts.failed += count
      if (!hasProblem) onProblem(`${what} do not reach the collector: ${error.message}`)
      hasProblem = true
    },
  }
}
