import { parseArgs } from 'node:util'
import { fillAndSearch } from './requests/fill.ts'
import { compareServers } from './requests/path.ts'

/** The request log: how large it gets and how fast it is searched, and what it costs a request. */

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: { count: { type: 'string', default: '10000000' }, help: { type: 'boolean', default: false } },
})
if (values.help) {
  console.log(
    'npm run ponto -- --run-script bench/request-log.ts [fill | path] [--count 10000000]    method: bench/README.md',
  )
  process.exit()
}
const count = Number(values.count)
if (!(Number.isInteger(count) && count > 0)) {
  console.error('--count is a whole number from 1 on')
  process.exit(1)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
const tell = (text: string): void => console.error(text)
if (positionals[0] !== 'fill') await compareServers(tell)
if (positionals[0] !== 'path') await fillAndSearch(count, tell)
