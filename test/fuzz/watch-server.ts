import type { Complaint } from './oracle.ts'
import type { FuzzTarget } from './target.ts'

/** Reads what the server has logged since the last look, and tells of what should never be there. */
export function watchLog(target: Pick<FuzzTarget, 'errors'>): () => (Complaint & { requestId?: string })[] {
  let seen = 0
  return () => {
    const text = target.errors()
    const end = text.lastIndexOf('\n') + 1
    if (end <= seen) return []
    const lines = text.slice(seen, end).split('\n')
    seen = end
    return lines.flatMap(judgeLine)
  }
}

/** The lines of a log that hold a secret. */
export function findLoggedSecrets(log: string, secrets: readonly string[]): Complaint[] {
  const lines = log.split('\n').filter((line) => secrets.some((secret) => line.includes(secret)))
  return lines.length > 0 ? [{ name: 'a secret in the log', detail: lines.slice(0, 5).join('\n').slice(0, 3000) }] : []
}

function judgeLine(line: string): (Complaint & { requestId?: string })[] {
  if (line === '') return []
  try {
    const { level, code, requestId, msg, err } = JSON.parse(line)
    if (level < errorLevel) return []
    return [
      {
        name: `logged as an error: ${code ?? err?.message ?? msg}`.slice(0, 160),
        detail: line.slice(0, 3000),
        requestId,
      },
    ]
  } catch {
    return [{ name: 'something else than log lines on standard error', detail: line.slice(0, 3000) }]
  }
}

const errorLevel = 50

export type MemoryWatch = {
  sample(doneShare: number): void
  report(): MemoryReport
}

export type MemoryReport = {
  /** The least of the middle third and of the last third, and the most of all. */
  readonly warmBytes: number
  readonly endBytes: number
  readonly peakBytes: number
  readonly growthBytes: number
  readonly isBounded: boolean
}

/**
 * Whether memory grows with the number of cases. The collector lets the heap swing by hundreds of megabytes behind bodies of several
 * megabytes, and what it cannot free is the floor of that swing. So floors are compared: that of the middle third, when code is
 * compiled and pools are full, with that of the last third. In a full run a third is 37,000 cases: a leak of 2 kB a case shows.
 */
export function watchMemory(readRss: () => number | undefined): MemoryWatch {
  const samples: { at: number; bytes: number }[] = []
  const floor = (from: number, to: number): number => {
    const part = samples.filter(({ at }) => at > from && at <= to).map(({ bytes }) => bytes)
    return part.length > 0 ? Math.min(...part) : 0
  }
  return {
    sample(at) {
      const bytes = readRss()
      if (bytes !== undefined) samples.push({ at, bytes })
    },
    report() {
      const warmBytes = floor(1 / 3, 2 / 3)
      const endBytes = floor(2 / 3, 1)
      const growthBytes = endBytes - warmBytes
      const peakBytes = Math.max(0, ...samples.map(({ bytes }) => bytes))
      return { warmBytes, endBytes, peakBytes, growthBytes, isBounded: growthBytes <= allowedGrowthBytes }
    },
  }
}

export const allowedGrowthBytes = 64 * 1024 * 1024
