import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** What a process and its children have cost so far, as Linux counts it. */
export type Cost = {
  /** User and system time, in microseconds; exact to a clock tick, which is 10 ms on most machines. */
  readonly cpuUs: number
  /** Resident now. */
  readonly rssBytes: number
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
const pageBytes = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }))

/** The embedded engine is a child of Ponto that has no part in what is measured here. */
const isLeftOut = (commandLine: string) => commandLine.includes('engine/child')

export function readCost(pid: number): Cost {
  const costs = listTree(pid).map(readStat)
  return {
    cpuUs: costs.reduce((sum, { ticks }) => sum + ticks, 0) * (1e6 / ticksPerSecond),
    rssBytes: costs.reduce((sum, { pages }) => sum + pages, 0) * pageBytes,
  }
}

function listTree(root: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    try {
      parents.set(pid, readStat(pid).parent)
    } catch {
      // It has ended since.
    }
  }
  const tree = [root]
  for (const pid of tree) {
    for (const [child, parent] of parents) {
      if (parent === pid && !isLeftOut(readFileSync(`/proc/${child}/cmdline`, 'utf8'))) tree.push(child)
    }
  }
  return tree
}

/** Fields of proc_pid_stat(5), counted from behind the name, which may hold anything. */
function readStat(pid: number): { parent: number; ticks: number; pages: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]), pages: Number(fields[21]) }
}
