import { describe, expect, test } from 'bun:test'
import type { Call, PassCall } from '../core/call.ts'
import { type Deployment, deploymentKey } from '../core/deployment.ts'
import { makeChatCall, makeDeployment } from '../core/exchange.fixture.ts'
import type { Exchange } from '../core/exchange.ts'
import { Fault } from '../core/fault.ts'
import type { FaultCode } from '../core/fault-codes.ts'
import { answer, callOf, createWorld, keyWith, limitedTo, perMinute, provisioned } from './limit/limit.fixture.ts'
import { createSpillOver } from './spill-over.ts'

const standard = limitedTo({ tokens: perMinute(1_000) })
const other: Deployment = { ...limitedTo({ tokens: perMinute(1_000) }), name: 'Other' }
const ptu = (more: Partial<Deployment> = {}): Deployment => ({ ...provisioned(600_000), ...more })
const header = (value: string) => (name: string) => (name === 'x-ms-spillover-deployment' ? value : null)

type Backends = Readonly<Record<string, Fault | 'answers'>>

/** Backends of deployments by name; those not named answer. */
function setUp(backends: Backends = {}, deployments: readonly Deployment[] = [standard, other]) {
  const seen: { readonly deployment: string; readonly call: Call }[] = []
  const world = createWorld({
    before: [createSpillOver((name) => deployments.find((item) => deploymentKey(item.name) === deploymentKey(name)))],
    async next({ deployment, call }) {
      seen.push({ deployment: deployment.name, call })
      const backend = backends[deployment.name] ?? 'answers'
      if (backend instanceof Fault) throw backend
      return answer
    },
  })
  const names = () => seen.map(({ deployment }) => deployment)
  return { world, seen, names }
}

const down = new Fault('upstream-unavailable', 'down')

describe('which ends spill over', () => {
  const table: [FaultCode, ConstructorParameters<typeof Fault>[2], boolean][] = [
    ['rate-limited', {}, true],
    ['engine-busy', {}, true],
    ['exceeds-capacity', {}, true],
    ['context-length-exceeded', {}, true],
    ['upstream-rejected', { status: 400, vendorCode: 'context_length_exceeded' }, true],
    ['upstream-failed', {}, true],
    ['upstream-unavailable', {}, true],
    ['breakers-open', {}, true],
    ['internal', {}, true],
    ['upstream-rejected', { status: 400, vendorCode: 'content_filter' }, false],
    ['invalid-request', {}, false],
    ['unsupported-value', {}, false],
    ['budget-exhausted', {}, false],
    ['upstream-timeout', {}, false],
    ['deployment-paused', {}, false],
    ['model-retired', {}, false],
    ['forbidden', {}, false],
  ]
  test.each(table)('%s %j: %p', async (code, detail, isSpilled) => {
    const { world, names } = setUp({ PTU: new Fault(code, 'no', detail) })
    const { fault, exchange } = await world.enter({ deployment: ptu({ spillover: 'chat-a' }) })
    expect(names()).toEqual(isSpilled ? ['PTU', 'Chat-A'] : ['PTU'])
    expect(fault?.code).toBe(isSpilled ? undefined : code)
    expect(exchange.spilledFrom?.name).toBe(isSpilled ? 'PTU' : undefined)
    await world.close()
  })
})

test('the answer says who gave it, and only the second deployment is charged', async () => {
  const { world } = setUp({ PTU: down })
  const deployment = ptu({ spillover: 'Chat-A' })
  const { exchange, headers, end } = await world.enter({ deployment, call: callOf(200) })
  expect(exchange.deployment).toBe(standard)
  expect(exchange.spilledFrom).toBe(deployment)
  expect(headers).toMatchObject({
    'x-ms-spillover-from-deployment': 'PTU',
    'x-ms-deployment-name': 'Chat-A',
    'x-ratelimit-remaining-tokens': '800',
  })
  expect(headers['azure-openai-deployment-utilization']).toBeUndefined()
  const level = { kind: 'leaky', key: 'deployment/ptu/utilization', drainPerMs: 10 } as const
  expect(await world.used(level)).toBe(0)
  end('done', { promptTokens: 10, completionTokens: 30 })
  expect(await world.used({ kind: 'window', key: 'deployment/chat-a/tokens' })).toBe(40)
  await world.close()
})

test('a full deployment spills over too', async () => {
  const { world, names } = setUp()
  const deployment = { ...provisioned(60, undefined, 1), spillover: 'Chat-A' }
  await world.enter({ deployment, call: callOf(200) })
  const { exchange, fault } = await world.enter({ deployment, call: callOf(200) })
  expect(fault).toBeUndefined()
  expect(names()).toEqual(['PTU', 'Chat-A'])
  expect(exchange.spilledFrom).toBe(deployment)
  await world.close()
})

test('when both fail the caller gets the fault of the first, and what the second said as a number', async () => {
  const { world } = setUp({ PTU: down, 'Chat-A': new Fault('upstream-rejected', 'no', { status: 422 }) })
  const deployment = ptu({ spillover: 'Chat-A' })
  const { exchange, fault, headers } = await world.enter({ deployment, call: callOf(200) })
  expect(fault).toBe(down)
  expect(headers['x-ms-spillover-error']).toBe('422')
  expect(headers['azure-openai-deployment-utilization']).toBe('0.1%')
  for (const name of ['x-ms-spillover-from-deployment', 'x-ms-deployment-name', 'x-ratelimit-limit-tokens']) {
    expect(headers).not.toHaveProperty(name)
  }
  expect(exchange.deployment).toBe(deployment)
  expect(exchange.spilledFrom).toBeUndefined()
  expect(exchange.holds).toEqual([])
  expect(await world.used({ kind: 'window', key: 'deployment/chat-a/tokens' })).toBe(0)
  await world.close()
})

test('the limits of the second deployment count', async () => {
  const { world, names } = setUp({ PTU: down })
  const { fault, headers } = await world.enter({ deployment: ptu({ spillover: 'Chat-A' }), call: callOf(1_001) })
  expect(fault).toBe(down)
  expect(headers['x-ms-spillover-error']).toBe('400')
  expect(names()).toEqual(['PTU'])
  await world.close()
})

describe('where to', () => {
  const table: [string, Partial<Exchange>, string[], string | undefined][] = [
    ['the header names one', { deployment: ptu(), header: header('CHAT-A') }, ['PTU', 'Chat-A'], undefined],
    [
      'the property wins',
      { deployment: ptu({ spillover: 'Other' }), header: header('Chat-A') },
      ['PTU', 'Other'],
      undefined,
    ],
    ['nobody names one', { deployment: ptu() }, ['PTU'], undefined],
    ['the header says nothing', { deployment: ptu(), header: header('') }, ['PTU'], undefined],
    [
      'the header is for provisioned deployments',
      { deployment: makeDeployment({ name: 'PTU', sku: { name: 'Standard', capacity: 1 } }), header: header('Chat-A') },
      ['PTU'],
      undefined,
    ],
    [
      'and for those with a SKU',
      { deployment: makeDeployment({ name: 'PTU' }), header: header('Chat-A') },
      ['PTU'],
      undefined,
    ],
    [
      'the key may use it',
      { deployment: ptu(), header: header('Chat-A'), caller: keyWith({ deployments: new Set(['ptu', 'chat-a']) }) },
      ['PTU', 'Chat-A'],
      undefined,
    ],
    [
      'the key may not',
      { deployment: ptu(), header: header('Chat-A'), caller: keyWith({ deployments: new Set(['ptu']) }) },
      ['PTU'],
      '404',
    ],
    [
      'what the operator configured is for every key',
      { deployment: ptu({ spillover: 'Chat-A' }), caller: keyWith({ deployments: new Set(['ptu']) }) },
      ['PTU', 'Chat-A'],
      undefined,
    ],
    ['there is none of that name', { deployment: ptu({ spillover: 'gone' }) }, ['PTU'], '404'],
    ['not to itself', { deployment: ptu({ spillover: 'ptu' }) }, ['PTU'], '404'],
    [
      'it has no such operation',
      {
        deployment: ptu({ spillover: 'Chat-A', kinds: new Set(['embed']) }),
        call: { kind: 'embed', deployment: 'd', stream: false, includeUsage: false, inputs: ['x'], encoding: 'float' },
      },
      ['PTU'],
      '404',
    ],
  ]
  test.each(table)('%s', async (_, more, names, error) => {
    const run = setUp({ PTU: down }, [standard, other, ptu()])
    const { headers, fault } = await run.world.enter(more)
    expect(run.names()).toEqual(names)
    expect(headers['x-ms-spillover-error']).toBe(error)
    expect(fault === undefined).toBe(names.length === 2)
    await run.world.close()
  })
})

test('goes one step, not further', async () => {
  const chain = { ...standard, spillover: 'Other' }
  const { world, names } = setUp({ PTU: down, 'Chat-A': down }, [chain, other])
  await world.enter({ deployment: ptu({ spillover: 'Chat-A' }) })
  expect(names()).toEqual(['PTU', 'Chat-A'])
  await world.close()
})

test('a form that was spent cannot be sent again, one that was not can', async () => {
  for (const isSpent of [true, false]) {
    const form = { contentType: 'multipart/form-data', isSpent, write: () => (async function* () {})() }
    const call: PassCall = { kind: 'transcribe', deployment: 'd', stream: false, includeUsage: false, form }
    const kinds = new Set(['transcribe'] as const)
    const { world, names } = setUp({ PTU: down }, [{ ...standard, kinds }])
    await world.enter({ deployment: ptu({ spillover: 'Chat-A', kinds }), call })
    expect(names()).toEqual(isSpent ? ['PTU'] : ['PTU', 'Chat-A'])
    await world.close()
  }
})

test('a caller who is gone needs no second answer', async () => {
  const { world, names } = setUp({ PTU: down })
  await world.enter({ deployment: ptu({ spillover: 'Chat-A' }), signal: AbortSignal.abort() })
  expect(names()).toEqual(['PTU'])
  await world.close()
})

test('what policies before it hold stays held, what came after is given back', async () => {
  const { world } = setUp({ PTU: down })
  const released: string[] = []
  const holds = [{ release: () => void released.push('outer') }]
  const { exchange, end } = await world.enter({ deployment: ptu({ spillover: 'Chat-A' }), holds })
  expect(released).toEqual([])
  expect(exchange.holds.length).toBe(2)
  end()
  expect(released).toEqual(['outer'])
  await world.close()
})

test('the second deployment gets the call as it came, and a tally of its own', async () => {
  const primary = ptu({ spillover: 'Chat-A' })
  const call = makeChatCall()
  const seen: Call[] = []
  const policy = createSpillOver(() => standard)
  const world = createWorld({
    before: [
      policy,
      (exchange, next) => {
        seen.push(exchange.call)
        exchange.call = { ...exchange.call }
        return next(exchange)
      },
    ],
    async next(exchange) {
      if (exchange.deployment === standard) return answer
      exchange.tally.pieces = 9
      exchange.tally.usage = { promptTokens: 1, completionTokens: 1 }
      throw down
    },
  })
  const { exchange } = await world.enter({ deployment: primary, call })
  expect(seen).toEqual([call, call])
  expect(seen[1]).toBe(call)
  expect(exchange.tally).toMatchObject({ usage: undefined, pieces: 0 })
  await world.close()
})
