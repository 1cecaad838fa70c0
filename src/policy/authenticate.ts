import { hash } from 'node:crypto'
import type { Caller } from '../core/exchange.ts'
import { Fault } from '../core/fault.ts'

/** Callers by the SHA-256 of their key, hexadecimal. Looking up a digest takes the same time whatever the key has in common with a real one. */
export type KeyRing = ReadonlyMap<string, Caller>

const deniedText =
  'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.'

const maxKeyLength = 512

/** Who calls. The key may come as `api-key`, as `Authorization: Bearer`, or as both. Throws Fault `unauthorized`. */
export function authenticate(headers: Headers, keys: KeyRing): Caller {
  const caller = findCaller(headers.get('api-key'), keys) ?? findCaller(readBearer(headers.get('authorization')), keys)
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
