import { requestLogFamilies } from '../../src/boot/telemetry/open-request-log.ts'
import { describeTelling } from '../../src/boot/telemetry/own-families.ts'
import { createProcessFamilies } from '../../src/boot/telemetry/process-families.ts'
import {
  limitFamilies,
  type StateParts,
  stateFamilies,
  storedFamilies,
} from '../../src/boot/telemetry/state-families.ts'
import { createCallFacts } from '../../src/telemetry/metrics/call-facts.ts'
import type { Family } from '../../src/telemetry/metrics/family.ts'
import { azureFamilies } from '../../src/telemetry/metrics/views/azure-families.ts'
import { genAiFamilies } from '../../src/telemetry/metrics/views/genai-families.ts'
import { pontoFamilies } from '../../src/telemetry/metrics/views/ponto-families.ts'

/** A server at which nothing has happened. */
const idle: StateParts = {
  listDeployments: () => [],
  counters: { read: () => [], degradedReason: () => undefined },
  health: { stateOf: () => 'closed' },
  tables: { batches: { sumRunning: async () => [] }, files: { sumAll: async () => ({ files: 0, bytes: 0 }) } },
  builtins: { models: [], find: () => undefined, stop: async () => {} },
  countUnstored: () => 0,
  configError: () => undefined,
}

const facts = createCallFacts()
const ofProcess = createProcessFamilies(0)

/** Every family that `/metrics` can tell, by what a scrape may ask for. */
export const metricFamilies: Readonly<Record<'ponto' | 'gen_ai' | 'azure' | 'process', readonly Family[]>> = {
  ponto: [
    ...pontoFamilies(facts),
    ...(await limitFamilies(idle)).families,
    ...stateFamilies(idle),
    ...(await storedFamilies(idle)),
    ...requestLogFamilies({ written: 0, waiting: 0, lost: 0, lostContents: 0, leftOut: 0, problem: undefined }),
    ...describeTelling('', new Map(), []),
  ],
  gen_ai: genAiFamilies(facts),
  azure: azureFamilies(facts, '', []),
  process: ofProcess.collect(),
}

ofProcess.close()
