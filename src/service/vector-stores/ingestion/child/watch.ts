import { writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { outOfMemoryMark, type WatchOptions } from './protocol.ts'

/**
 * A thread of the process that reads documents, which goes on while a document keeps the rest of it busy: ends the process when it takes too
 * much memory, or when the server is gone. RLIMIT_AS would not do, since the runtime reserves far more than it uses.
 */

const { memoryBytes, parentPid } = workerData as WatchOptions
const everyMs = 20

setInterval(() => {
  const isTooLarge = process.memoryUsage.rss() > memoryBytes
  if (isTooLarge) writeSync(2, outOfMemoryMark)
  if (isTooLarge || process.ppid !== parentPid) process.kill(process.pid, 'SIGKILL')
}, everyMs)
