import type { ChatCall } from './call.ts'
import type { Deployment } from './deployment.ts'
import type { Exchange } from './exchange.ts'
import { openRecord, type RequestRecord } from './usage/request-record.ts'
import { openTally } from './usage/tally.ts'

/** Values for tests: a deployment without limits, and a call to it. */

export function makeDeployment(more: Partial<Deployment> = {}): Deployment {
  return {
    name: 'd',
    model: { format: 'OpenAI', name: 'm', version: '1' },
    sku: undefined,
    limits: undefined,
    isPaused: false,
    lifecycle: { status: 'GenerallyAvailable', retiresAt: undefined, replacement: undefined },
    spillover: undefined,
    serviceTier: 'default',
    price: undefined,
    filterPolicy: 'Microsoft.Nil',
    capture: undefined,
    maxContextTokens: undefined,
    maxOutputTokens: undefined,
    modelType: undefined,
    servedModel: 'm-1',
    kinds: new Set(['chat']),
    routes: [],
    createdAt: 0,
    ...more,
  }
}

export function makeChatCall(more: Partial<ChatCall> = {}): ChatCall {
  const messages = [{ role: 'user', content: 'hello' }] as const
  return { kind: 'chat', deployment: 'd', stream: false, includeUsage: false, messages, n: 1, ...more }
}

/** That of a call for which these backends were tried, and the last one answered. */
export function makeTriedRecord(...backends: readonly string[]): RequestRecord {
  const record = openRecord('r', 0, 0)
  for (const backend of backends)
    record.attempts.push({ backend, spanId: '', startedMs: 0, ms: 1, status: 200, code: '' })
  return record
}

export function makeExchange(more: Partial<Exchange> = {}): Exchange {
  return {
    id: 'r',
    caller: { keyName: 'key1', grant: undefined, expiresAt: undefined },
    call: makeChatCall(),
    deployment: makeDeployment(),
    spilledFrom: undefined,
    servedTier: undefined,
    isBatch: false,
    needsEvents: false,
    signal: new AbortController().signal,
    header: () => null,
    answerHeaders: {},
    record: openRecord('r', 0, 0),
    tally: openTally(),
    holds: [],
    startedAt: 0,
    ...more,
  }
}
