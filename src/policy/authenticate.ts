import { hash } from 'node:crypto'
import type { Caller } from '../core/exchange.ts'
import { Fault } from '../core/fault.ts'

/** Callers by the SHA-256 of their key, hexadecimal. Looking up a digest takes the same time whatever the key has in common with a real one. */
export type KeyRing = ReadonlyMap<string, Caller>

const deniedText =
  'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.'

const maxKeyLength = 512

/** Headers that carry the bare key, the usual one first: Azure's, other vendors' clients', and Azure's older one for speech. */
const keyHeaders = ['api-key', 'x-api-key', 'ocp-apim-subscription-key'] as const

/** Who calls. The key may come in any of `keyHeaders`, as `Authorization: Bearer`, or in several of them. Throws Fault `unauthorized`. */
export function authenticate(headers: Headers, keys: KeyRing): Caller {
  for (const name of keyHeaders) {
    const caller = findCaller(headers.get(name), keys)
    if (caller) return caller
  }
  const caller = findCaller(readBearer(headers.get('authorization')), keys)
  if (!caller) throw new Fault('unauthorized', deniedText)
  return caller
}

function findCaller(key: string | null, keys: KeyRing): Caller | undefined {
  if (key === null || key.length > maxKeyLength) return undefined
  return keys.get(hashKey(key))
}

function readBearer(value: string | null): string | null {
  return value !== null && value.slice(0, 7).toLowerCase() === 'bearer ' ? value.slice(7).trim() : null
}

export function hashKey(key: string): string {
  return hash('sha256', key, 'hex')
}
