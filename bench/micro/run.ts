import { type Bench, time } from './bench.ts'
import { spliceModelBenches } from './core/splice-model.ts'
import { filterDetectorBenches } from './filter-detector.ts'
import { filterMatchBenches } from './filter-match.ts'
import { authenticateBenches } from './policy/authenticate.ts'
import { limitBenches } from './policy/limit.ts'
import { meterBenches } from './policy/meter.ts'
import { requestLogBenches } from './policy/request-log.ts'
import { sharedCountersBenches } from './port/shared-counters.ts'
import { resourceIndexBenches } from './resource-index.ts'
import { telemetryBenches } from './telemetry.ts'
import { openaiChatBenches } from './wire/openai-chat.ts'
import { sseRelayBenches } from './wire/sse/relay-sse.ts'

/** `npm run ponto -- --run-script bench/micro/run.ts [word]`: nanoseconds of single steps of a request, those whose name holds the word. */

const sampleMs = 20

const all: readonly Bench[] = [
  ...authenticateBenches,
  ...filterDetectorBenches,
  ...filterMatchBenches,
  ...limitBenches,
  ...meterBenches,
  ...openaiChatBenches,
  ...requestLogBenches,
  ...resourceIndexBenches,
  ...sharedCountersBenches,
  ...spliceModelBenches,
  ...sseRelayBenches,
  ...telemetryBenches,
]
const word = process.argv[2] ?? ''
const chosen = all.filter(({ name }) => name.includes(word))
if (chosen.length === 0) {
  console.error(`no name holds "${word}"`)
  process.exit(1)
}
const width = Math.max(...chosen.map(({ name }) => name.length))
console.log(`${'ns for one'.padEnd(width)}  ${'least'.padStart(8)}  ${'median'.padStart(8)}`)
for (const bench of chosen) {
  const { minNs, medianNs } = await time(bench, sampleMs)
  console.log(`${bench.name.padEnd(width)}  ${minNs.toFixed(0).padStart(8)}  ${medianNs.toFixed(0).padStart(8)}`)
}
