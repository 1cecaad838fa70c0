import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Family } from '../../telemetry/metrics/family.ts'

/** Under the names that Prometheus clients of every language use. */
export function createProcessFamilies(startedAt: number): { collect(): Family[]; close(): void } {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  const family = (name: string, kind: Family['kind'], help: string, value: number | undefined): Family => ({
    ...{ name, help, kind, unit: '1', labels: [], isVerbatim: true },
    samples: value === undefined ? [] : [{ labels: [], value }],
  })
  return {
    collect() {
      const { user, system } = process.cpuUsage()
      const { rss, heapUsed } = process.memoryUsage()
      const longestS = delay.max / 1e9
      delay.reset()
      return [
        family('process_cpu_seconds_total', 'counter', 'Processor time used.', (user + system) / 1e6),
        family('process_resident_memory_bytes', 'gauge', 'Memory held.', rss),
        family('process_heap_bytes', 'gauge', 'Memory of the JavaScript heap in use.', heapUsed),
        family('process_start_time_seconds', 'gauge', 'When the server started, in unix seconds.', startedAt / 1000),
        family('process_open_fds', 'gauge', 'Open files and connections.', countOpenFiles()),
        family(
          'ponto_event_loop_delay_seconds',
          'gauge',
          'The longest that work waited for its turn, since this was last asked.',
          Number.isFinite(longestS) ? longestS : undefined,
        ),
      ]
    },
    close: () => void delay.disable(),
  }
}

/** Where the system tells. */
function countOpenFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return undefined
  }
}
