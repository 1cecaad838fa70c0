import { describe, expect, test } from 'bun:test'
import type { Deployment } from '../core/deployment.ts'
import { makeDeployment, makeExchange } from '../core/exchange.fixture.ts'
import { Fault } from '../core/fault.ts'
import type { Reply } from '../core/reply.ts'
import { createCheckDeployment } from './check-deployment.ts'

const day = 86_400_000
const now = Date.UTC(2026, 10, 24)
const reply: Reply = { kind: 'whole', result: { kind: 'chat', choices: [] } }

async function check(more: Partial<Deployment>) {
  const exchange = makeExchange({ deployment: makeDeployment(more) })
  const check = createCheckDeployment(() => now)
  const outcome = await (async () => check(exchange, async () => reply))().catch((fault: Fault) => fault)
  return { outcome, headers: exchange.answerHeaders }
}

const lifecycle = (retiresAt: number | undefined): Deployment['lifecycle'] => ({
  status: 'Legacy',
  retiresAt,
  replacement: { name: 'next', version: '2' },
})

describe('a deployment', () => {
  test.each<[string, Partial<Deployment>, number, string]>([
    ['that is paused', { isPaused: true }, 423, 'ponto deployment resume d'],
    [
      'whose model is retired',
      { lifecycle: lifecycle(now) },
      410,
      'was retired on 2026-11-24. It was replaced by next, version 2.',
    ],
    [
      'for trying things out, after its day',
      { sku: { name: 'DeveloperTier', capacity: 1 }, lifecycle: { ...lifecycle(now - day), replacement: undefined } },
      410,
      'Make it anew.',
    ],
    [
      'for batch work',
      { sku: { name: 'GlobalBatch', capacity: 1 }, limits: { kind: 'enqueued', tokens: 1 } },
      400,
      'GlobalBatch, which is for batch work only',
    ],
  ])('%s takes no calls', async (_what, deployment, status, text) => {
    const { outcome } = await check(deployment)
    expect(outcome).toBeInstanceOf(Fault)
    expect((outcome as Fault).status).toBe(status)
    expect((outcome as Fault).message).toContain(text)
  })

  test('says when its end is near', async () => {
    const { outcome, headers } = await check({ lifecycle: lifecycle(now + 30 * day) })
    expect(outcome).toBe(reply)
    expect(headers).toEqual({
      deprecation: `@${(now - 60 * day) / 1000}`,
      sunset: 'Thu, 24 Dec 2026 00:00:00 GMT',
      'x-ms-model-replacement': 'next 2',
    })
  })

  test.each([[undefined], [now + 91 * day]])('says nothing before that (%p)', async (retiresAt) => {
    expect(await check({ lifecycle: lifecycle(retiresAt) })).toEqual({ outcome: reply, headers: {} })
  })
})
