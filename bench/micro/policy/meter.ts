import { makeDeployment, makeExchange, makeTriedRecord } from '../../../src/core/exchange.fixture.ts'
import type { Budget, Exchange } from '../../../src/core/exchange.ts'
import { releaseHolds } from '../../../src/core/exchange.ts'
import type { Reply } from '../../../src/core/reply.ts'
import { openMeter } from '../../../src/policy/meter/meter.ts'
import type { UsageTable } from '../../../src/port/tables/usage/port.ts'
import type { Bench } from '../bench.ts'

/** A store that takes everything at once: what a database costs is not a request's affair. */
const table: UsageTable = { add: async () => {}, read: async () => [] }
const meter = await openMeter({ table, now: Date.now, onProblem: () => {} })
const answered = Promise.resolve<Reply>({ kind: 'whole', result: { kind: 'chat', choices: [] } })
const next = () => answered
const usage = { promptTokens: 300, completionTokens: 120, cachedTokens: 200 }
const price = { inputPerMillion: 2, cachedInputPerMillion: 0.5, outputPerMillion: 8, perRequest: 0 }

function makeCaller(keyName: string, ...budgets: Budget[]): Exchange['caller'] {
  const grant = { deployments: undefined, tokensPerMinute: undefined, requestsPerMinute: undefined, budgets }
  return { keyName, grant, expiresAt: undefined }
}

/** A call of each of 100 keys to each of 10 deployments, in turn: rows are found, not made. */
function makeExchanges(...budgets: Budget[]): readonly Exchange[] {
  const callers = Array.from({ length: 100 }, (_, i) => makeCaller(`team-${i}`, ...budgets))
  const deployments = Array.from({ length: 10 }, (_, i) => makeDeployment({ name: `gpt-${i}`, price }))
  const exchanges = callers.flatMap((caller) =>
    deployments.map((deployment) => makeExchange({ caller, deployment, record: makeTriedRecord('b') })),
  )
  for (const { tally } of exchanges) tally.usage = usage
  return exchanges
}

const many = makeExchanges()
const most = 1e15
const withBudgets = makeExchanges(
  { unit: 'tokens', period: 'day', limit: most },
  { unit: 'cost', period: 'month', limit: most },
)

/** Each of the exchanges in turn. */
function inTurn(exchanges: readonly Exchange[], go: (exchange: Exchange) => void): Bench['run'] {
  return (times) => {
    for (let i = 0; i < times; i++) go(exchanges[i % exchanges.length] as Exchange)
  }
}

const listen = (exchange: Exchange): void => meter.listener(exchange, 'done', undefined)

function admit(exchange: Exchange): void {
  meter.budgets.admit(exchange)
  releaseHolds(exchange, 'done')
}

/** All of the policy and the listener, and nothing of what answers. */
function passThrough(exchange: Exchange): void {
  void meter.policy(exchange, next)
  releaseHolds(exchange, 'done')
  listen(exchange)
}

export const meterBenches: readonly Bench[] = [
  { name: 'policy/meter: listener, one key and one deployment', run: inTurn(many.slice(0, 1), listen) },
  { name: 'policy/meter: listener, 100 keys and 10 deployments', run: inTurn(many, listen) },
  { name: 'policy/meter: budget admit and release, a key without one', run: inTurn(many, admit) },
  { name: 'policy/meter: budget admit and release, keys with two', run: inTurn(withBudgets, admit) },
  { name: 'policy/meter: all of a call, 100 keys with two budgets', run: inTurn(withBudgets, passThrough) },
]
