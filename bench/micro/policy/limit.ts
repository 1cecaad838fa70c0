import { makeDeployment, makeExchange } from '../../../src/core/exchange.fixture.ts'
import { releaseHolds } from '../../../src/core/exchange.ts'
import type { Reply } from '../../../src/core/reply.ts'
import { estimatePrompt } from '../../../src/policy/limit/estimate.ts'
import { createLimiter } from '../../../src/policy/limit/limiter.ts'
import { createSharedCounters } from '../../../src/port/counters/shared-memory/counters.ts'
import { allocateCounterMemory } from '../../../src/port/counters/shared-memory/table.ts'
import type { Bench } from '../bench.ts'

const counters = createSharedCounters({ memory: allocateCounterMemory(1_024, Date.now()), now: Date.now })
const limit = createLimiter({ counters, now: Date.now })
const answered = Promise.resolve<Reply>({ kind: 'whole', result: { kind: 'chat', choices: [] } })
const next = () => answered
const usage = { promptTokens: 300, completionTokens: 120 }

const open = makeExchange()
const most = 1e12
const limited = makeExchange({
  deployment: makeDeployment({
    sku: { name: 'GlobalStandard', capacity: 1 },
    limits: {
      kind: 'rate',
      tokens: { limit: most, windowMs: 60_000 },
      requests: { limit: most, windowMs: 10_000 },
      settles: true,
      pool: undefined,
    },
  }),
})
const grant = { deployments: undefined, tokensPerMinute: most, requestsPerMinute: most, budgets: [] }
const both = makeExchange({
  deployment: limited.deployment,
  caller: { keyName: 'team', grant, expiresAt: undefined },
})
const full = makeExchange({
  deployment: makeDeployment({
    name: 'full',
    limits: {
      kind: 'rate',
      tokens: undefined,
      requests: { limit: 0, windowMs: 10_000 },
      settles: true,
      pool: undefined,
    },
  }),
})

const body = 'A question of a usual length, with a few words more than it needs. '.repeat(15)
const chat = { ...open.call, messages: Array.from({ length: 6 }, () => ({ role: 'user', content: body }) as const) }

/** Two exchanges in turn, over and over: of each call only what the policy itself does is measured. */
function through(exchange: typeof open): Bench['run'] {
  const pair = [exchange, makeExchange({ ...exchange, deployment: { ...exchange.deployment, name: 'second' } })]
  return (times) => {
    for (let i = 0; i < times; i++) {
      const turn = pair[i & 1] as typeof open
      turn.tally.usage = usage
      void limit(turn, next)
      releaseHolds(turn, 'done')
    }
  }
}

export const limitBenches: readonly Bench[] = [
  { name: 'policy/limit: a call that nothing limits', run: through(open) },
  { name: "policy/limit: a deployment's tokens and requests, reserved and settled, headers", run: through(limited) },
  { name: 'policy/limit: the same and those of a key', run: through(both) },
  {
    name: 'policy/limit: a refusal',
    async run(times) {
      for (let i = 0; i < times; i++) await limit(full, next).catch(() => {})
    },
  },
  {
    name: 'policy/limit: estimate of a prompt of six messages, 6 kB',
    run(times) {
      for (let i = 0; i < times; i++) estimatePrompt(chat)
    },
  },
]
