import {
  type CryptoKey,
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWTHeaderParameters,
} from 'jose'
import { Fault } from '../../../core/fault.ts'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'

/** The keys that an issuer signs with. */
export type KeySet = {
  /** The key that the header names. Rejects with Fault `unauthorized` when there is none, `identity-unavailable` when that cannot be found out. */
  readonly find: (header: JWTHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey | Uint8Array>
  /** Asks for them now. Never rejects. */
  reload(): Promise<void>
}

export type KeySetParts = {
  /** For messages. */
  readonly issuer: string
  /** The issuer's JSON Web Key Set. Rejects with a Fault that says why there is none. */
  fetchKeys(): Promise<JsonObject>
  /** Called when keys that were taken before are gone: what they signed is to be judged anew. */
  onKeysChanged(): void
  readonly onProblem: (message: string) => void
  /** Milliseconds on a clock that never jumps. */
  now(): number
}

/** Keys are asked for again when they are this old; until that has succeeded, the old ones go on. */
const maxAgeMs = 60 * 60_000
/** Tokens of strangers can name keys that nobody knows as often as they like. */
const cooldownMs = 10_000
const maxKeys = 100

/**
 * Keys of an issuer, asked for when the first token comes, again within the hour, and once when a token names a key that is not among them: issuers
 * change their keys without a word. An issuer that is away does no harm as long as its keys are known.
 */
export function createKeySet(parts: KeySetParts): KeySet {
  const { issuer, fetchKeys, now } = parts
  let known: { readonly find: KeySet['find']; readonly ids: ReadonlySet<string> } | undefined
  let fetchedMs = Number.NEGATIVE_INFINITY
  let triedMs = Number.NEGATIVE_INFINITY
  let pending: Promise<void> | undefined
  let lastProblem: string | undefined

  /** Of those who want it at once, all wait for the same answer. */
  function refresh(): Promise<void> {
    pending ??= load().finally(() => {
      pending = undefined
    })
    return pending
  }

  async function load(): Promise<void> {
    triedMs = now()
    try {
      const keys = readKeys(await fetchKeys())
      const ids = new Set(keys.map((key) => JSON.stringify(key)))
      const isAnyGone = known && [...known.ids].some((id) => !ids.has(id))
      known = { find: createLocalJWKSet({ keys } as JSONWebKeySet) as KeySet['find'], ids }
      fetchedMs = now()
      lastProblem = undefined
      if (isAnyGone) parts.onKeysChanged()
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      if (problem !== lastProblem) parts.onProblem(`The keys of the issuer ${issuer} cannot be had: ${problem}`)
      lastProblem = problem
    }
  }

  function isCooling(): boolean {
    return now() - triedMs < cooldownMs
  }

  return {
    async find(header, token) {
      if (!known && !isCooling()) await refresh()
      else if (now() - fetchedMs > maxAgeMs && !isCooling()) void refresh()
      if (!known && pending) await pending
      const found = await lookUp(header, token)
      if (found) return found
      if (pending) await pending
      else if (known && !isCooling()) await refresh()
      const again = await lookUp(header, token)
      if (again) return again
      if (known && lastProblem === undefined) throw new errors.JWKSNoMatchingKey()
      throw new Fault(
        'identity-unavailable',
        'The token cannot be verified: the keys of its issuer cannot be had at the moment.',
        { retryAfterMs: cooldownMs },
      )
    },
    reload: refresh,
  }

  async function lookUp(...asked: Parameters<KeySet['find']>): Promise<CryptoKey | Uint8Array | undefined> {
    try {
      return await known?.find(...asked)
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return undefined
      throw error
    }
  }
}

/** Public keys only: a secret that is published signs nothing. */
function readKeys(document: JsonObject): JsonObject[] {
  const { keys } = document
  if (!Array.isArray(keys)) throw new Fault('upstream-failed', 'the answer is no JSON Web Key Set')
  return keys
    .slice(0, maxKeys)
    .filter((key): key is JsonObject => isJsonObject(key) && ['RSA', 'EC', 'OKP'].includes(String(key.kty)))
    .filter((key) => key.use === undefined || key.use === 'sig')
}
