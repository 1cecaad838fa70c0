import { createHash } from 'node:crypto'
import { hostname } from 'node:os'

/** Tells servers that share a store from each other: the same after a restart, since each has a data folder and its lock. */
export function nodeIdOf(dataFolder: string): string {
  return createHash('sha256').update(`${hostname()}\n${dataFolder}`).digest('hex').slice(0, 16)
}
