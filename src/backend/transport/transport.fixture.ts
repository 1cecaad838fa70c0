import { expect } from 'bun:test'
import { Fault } from '../../core/fault.ts'
import type { FaultCode } from '../../core/fault-codes.ts'
import { createTransport, type TransportOptions } from './create-transport.ts'
import type { Transport, UpstreamResponse } from './transport.ts'

/** Long enough never to matter on a busy machine. */
export const patientTimeouts = { connectMs: 30_000, firstByteMs: 30_000, idleMs: 30_000, totalMs: 30_000 }

export const never = new AbortController().signal

export function makeTransport(origin: URL, options: Partial<TransportOptions> = {}): Transport {
  return createTransport({ origin, timeouts: patientTimeouts, maxConnections: 8, maxIdleMs: 30_000, ...options })
}

export function post(transport: Transport, body = '{}', signal: AbortSignal = never): Promise<UpstreamResponse> {
  return transport.request({ method: 'POST', path: '/v1', headers: { 'api-key': 'k' }, body }, signal)
}

export async function readText(response: UpstreamResponse): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of response.body) parts.push(part)
  return Buffer.concat(parts).toString()
}

/** The Fault with which the promise rejects; fails the test when there is none or another code. */
export async function faultOf(promise: Promise<unknown>, code: FaultCode): Promise<Fault> {
  const error = await promise.then(
    (value) => new Error(`no fault but ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  if (!(error instanceof Fault)) throw error
  expect(`${error.code}: ${error.message}`).toStartWith(`${code}: `)
  return error
}
