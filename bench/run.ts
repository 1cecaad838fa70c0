import { readFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { measure, type Plan } from './load/measure.ts'
import { type Report, renderReport } from './report.ts'

/** `npm run bench`: what Ponto costs per request and per event, beside nginx and a bare relay on the same machine at the same time. */

const fullPlan: Plan = {
  warmUpMs: 3500,
  rounds: 4,
  chatMs: 1000,
  streamMs: 1000,
  pacedStreams: 128,
  latencyMs: 250,
}
const quickPlan: Plan = {
  warmUpMs: 1000,
  rounds: 2,
  chatMs: 350,
  streamMs: 350,
  pacedStreams: 0,
  latencyMs: 150,
}

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log('npm run bench -- [--quick] [--json]    method and last numbers: bench/README.md')
  process.exit()
}
if (process.platform !== 'linux') {
  console.error('The bench reads the cost of processes from /proc and needs Linux.')
  process.exit(1)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const startedAt = new Date()
const loadBefore = loadavg()[0] as number
const measured = await measure(values.quick ? quickPlan : fullPlan, (text) => console.error(text))
const report: Report = {
  ...measured,
  rig: {
    date: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1000,
    cpu: `${cpus().length} x ${cpus()[0]?.model.trim()}`,
    kernel: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
    bun: Bun.version,
    loadBefore,
  },
}
process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : renderReport(report))
