/** Runs what goes on until Ctrl-C, which is then no failure. What else ends it is told as usual. */
export async function untilInterrupted(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const interrupted = new AbortController()
  const interrupt = (): void => interrupted.abort()
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.on(signal, interrupt)
  try {
    await run(interrupted.signal)
  } catch (error) {
    if (!interrupted.signal.aborted) throw error
  } finally {
    for (const signal of signals) process.off(signal, interrupt)
  }
}
