import { makeDeployment, makeExchange, makeTriedRecord } from '../../src/core/exchange.fixture.ts'
import { openMeter } from '../../src/policy/meter/meter.ts'
import { openSqliteTables } from '../../src/port/tables/adapters/sqlite/open-sqlite-tables.ts'

/**
 * A process to be killed: counts a call of each of its keys, stores that, says how often it did so, and begins again.
 * Arguments: the database, the number of keys.
 */

const [file, keys] = process.argv.slice(2)
const tables = await openSqliteTables(file as string)
const fail = (error: unknown): never => {
  throw error
}
const meter = await openMeter({ table: tables.usage, now: Date.now, onProblem: fail })
const price = { inputPerMillion: 1, cachedInputPerMillion: 1, outputPerMillion: 2, perRequest: 0 }
const deployment = makeDeployment({ price })
const tally = { usage: { promptTokens: 10, completionTokens: 5 }, pieces: 0 }

for (let round = 1; ; round++) {
  for (let key = 0; key < Number(keys); key++) {
    const caller = { keyName: `key-${key}`, grant: undefined, expiresAt: undefined }
    meter.listener(makeExchange({ caller, deployment, tally, record: makeTriedRecord('b') }), 'done', undefined)
  }
  await meter.flush()
  process.stdout.write(`${round}\n`)
}
