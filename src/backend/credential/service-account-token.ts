import { createPrivateKey, createSign, type KeyObject } from 'node:crypto'
import { Fault } from '../../core/fault.ts'
import { parseJsonObject } from '../../core/json.ts'
import { readText } from '../guards/read-text.ts'
import type { Transport } from '../transport/transport.ts'

export type TokenSource = {
  /** A token that is good for another minute at least. Rejects with a Fault that holds nothing of the key. */
  get(signal: AbortSignal): Promise<string>
}

export type ServiceAccount = {
  readonly email: string
  readonly key: KeyObject
  readonly keyId: string | undefined
  readonly tokenUrl: URL
}

/** Seconds that an assertion is good for, which is the most that is allowed. */
const assertionSeconds = 3600

/** Milliseconds before its end at which a token is no longer used. */
const marginMs = 60_000

const defaultTokenUrl = 'https://oauth2.googleapis.com/token'

/**
 * The account in a key file of Google Cloud; undefined for what is no such file, which is then a token itself. Throws Fault
 * `upstream-misconfigured` for a file that lacks what is needed.
 */
export function readServiceAccount(credential: string): ServiceAccount | undefined {
  const file = credential.trimStart().startsWith('{') ? parseJsonObject(credential) : undefined
  if (!file) return undefined
  const { client_email: email, private_key: pem, private_key_id: keyId, token_uri: uri = defaultTokenUrl } = file
  if (typeof email !== 'string' || typeof pem !== 'string' || typeof uri !== 'string' || !URL.canParse(uri)) {
    throw new Fault(
      'upstream-misconfigured',
      'The key file of the service account lacks client_email, private_key or a token_uri.',
    )
  }
  const tokenUrl = new URL(uri)
  // The assertion is a password for an hour: it goes nowhere in the clear, but to a stand-in on this machine.
  if (tokenUrl.protocol !== 'https:' && !/^(localhost|127\.0\.0\.1|\[::1\])$/.test(tokenUrl.hostname)) {
    throw new Fault('upstream-misconfigured', 'The token_uri of the service account must begin with https://.')
  }
  try {
    return { email, key: createPrivateKey(pem), keyId: typeof keyId === 'string' ? keyId : undefined, tokenUrl }
  } catch {
    throw new Fault('upstream-misconfigured', 'The private_key of the service account is no private key in PEM.')
  }
}

/** Tokens for a service account, each asked for once and kept until shortly before its end. `now` is in milliseconds since 1970. */
export function createTokenSource(
  account: ServiceAccount,
  scope: string,
  transport: Transport,
  now: () => number,
): TokenSource {
  let kept: { token: string; endMs: number } | undefined
  let pending: Promise<string> | undefined
  // It is for everybody who waits, so no one caller's signal may end it; the transport's timeouts do.
  const fetchToken = async (): Promise<string> => {
    const startMs = now()
    const assertion = writeAssertion(account, scope, Math.floor(startMs / 1000))
    const grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
    const response = await transport.request(
      {
        method: 'POST',
        path: account.tokenUrl.pathname + account.tokenUrl.search,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          accept: 'application/json',
          'user-agent': 'ponto',
        },
        body: new URLSearchParams({ grant_type: grant, assertion }).toString(),
      },
      new AbortController().signal,
    )
    const answer = parseJsonObject(await readText(response.body, 64 * 1024))
    if (response.status !== 200) {
      const code = response.status === 429 || response.status >= 500 ? 'upstream-unavailable' : 'upstream-misconfigured'
      throw new Fault(code, `The service account got no token (${response.status}).`)
    }
    const { access_token: token, expires_in: seconds } = answer ?? {}
    if (typeof token !== 'string' || token === '' || typeof seconds !== 'number' || !(seconds > 0)) {
      throw new Fault('upstream-failed', 'The answer to the service account holds no token.')
    }
    kept = { token, endMs: startMs + seconds * 1000 }
    return token
  }
  return {
    get(signal) {
      if (kept && now() < kept.endMs - marginMs) return Promise.resolve(kept.token)
      pending ??= fetchToken().finally(() => {
        pending = undefined
      })
      return orAborted(pending, signal)
    },
  }
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Fault('client-gone', 'nobody waits for the token any more'))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

function writeAssertion({ email, key, keyId, tokenUrl }: ServiceAccount, scope: string, nowSeconds: number): string {
  const header = { alg: 'RS256', typ: 'JWT', ...(keyId !== undefined && { kid: keyId }) }
  const claims = { iss: email, scope, aud: tokenUrl.href, iat: nowSeconds, exp: nowSeconds + assertionSeconds }
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${text}.${createSign('RSA-SHA256').update(text).sign(key).toString('base64url')}`
}
