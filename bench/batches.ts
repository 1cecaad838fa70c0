import { parseArgs } from 'node:util'
import { measureAway } from './batches/away.ts'
import { measureKills } from './batches/kill.ts'
import { measureLive } from './batches/live.ts'
import { measureRate } from './batches/rate.ts'

/** What batches take and what they survive. `--help` says how to call it; last numbers: bench/README.md. */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    lines: { type: 'string' },
    'line-bytes': { type: 'string', default: '2080' },
    policy: { type: 'string', default: 'Microsoft.Nil' },
    points: { type: 'string', default: '50' },
    pairs: { type: 'string', default: '9' },
    callers: { type: 'string', default: '8' },
    'run-ms': { type: 'string', default: '4000' },
    'pause-ms': { type: 'string', default: '10' },
    servers: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '60' },
    database: { type: 'string', default: 'sqlite' },
    blobs: { type: 'string', default: 'disk' },
    help: { type: 'boolean' },
  },
})
const lines = (usual: number): number => Number(values.lines ?? usual)
const commands: Record<string, () => Promise<boolean>> = {
  rate: () =>
    measureRate({ lines: lines(100_000), lineBytes: Number(values['line-bytes']), policy: values.policy as string }),
  live: () =>
    measureLive({
      pairs: Number(values.pairs),
      runMs: Number(values['run-ms']),
      connections: Number(values.callers),
      pauseMs: Number(values['pause-ms']),
      policy: values.policy as string,
    }),
  kill: () =>
    measureKills({
      points: Number(values.points),
      servers: Number(values.servers),
      lines: lines(4_000),
      hasPostgres: values.database === 'postgres',
      hasS3: values.blobs === 's3',
    }),
  away: () => measureAway({ seconds: Number(values.seconds), lines: lines(20_000), hasS3: values.blobs === 's3' }),
}
const [command = ''] = positionals
if (values.help || !Object.hasOwn(commands, command)) {
  console.log(`node bin/ponto.mjs --run-script bench/batches.ts COMMAND

rate   a batch of 100,000 lines and 200 MB: validation, lines per second, CPU and memory
       [--lines 100000] [--line-bytes 2080] [--policy Microsoft.Nil]
live   what live callers notice of a batch at full speed: p99 with one and without, in interleaved pairs
       [--pairs 9] [--run-ms 4000] [--callers 8] [--pause-ms 10]
kill   kill -9 in the middle of batches, again and again: what is lost, what is there twice, when it goes on
       [--points 50] [--servers 8] [--lines 4000] [--database sqlite|postgres] [--blobs disk|s3, with postgres]
away   PostgreSQL away in the middle of a batch: what is lost, and what callers notice
       [--seconds 60] [--lines 20000] [--blobs disk|s3]`)
  process.exit(values.help ? 0 : 2)
}
process.exitCode = (await commands[command]?.()) ? 0 : 1
