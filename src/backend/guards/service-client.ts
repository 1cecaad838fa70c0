import { Fault } from '../../core/fault.ts'
import type { FaultCode } from '../../core/fault-codes.ts'
import { type JsonObject, parseJsonObject } from '../../core/json.ts'
import { accessKeyPattern } from '../../wire/guards/services/access-key.ts'
import type { SafetyService, ServiceAsk } from '../../wire/guards/services/safety-service.ts'
import { createTokenSource, readServiceAccount } from '../credential/service-account-token.ts'
import { signRequest } from '../credential/sign-request.ts'
import type { Transport, UpstreamResponse } from '../transport/transport.ts'
import { readText } from './read-text.ts'

export type ServiceClientOptions = {
  readonly service: SafetyService
  readonly credential: string | undefined
  openTransport(origin: URL): Transport
  /** Milliseconds since 1970. */
  readonly now: () => number
}

const maxAnswerBytes = 1024 * 1024

/**
 * Sends the requests of a service. Rejects with a Fault by the status of the answer, or with the transport's; throws at once
 * `upstream-misconfigured` for a credential that cannot be used.
 */
export function createServiceClient({
  service,
  credential = '',
  openTransport,
  now,
}: ServiceClientOptions): (ask: ServiceAsk, signal: AbortSignal) => Promise<JsonObject> {
  const origin = new URL(service.origin)
  const transport = openTransport(origin)
  const authorize = createAuthorizer(service, credential, origin, openTransport, now)
  return async (ask, signal) => {
    const body = JSON.stringify(ask.body)
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'ponto',
      ...(await authorize(ask.path, body, signal)),
    }
    const response = await transport.request({ method: 'POST', path: ask.path, headers, body }, signal)
    const text = await readText(response.body, maxAnswerBytes)
    if (response.status !== 200) throw statusFault(response)
    const answer = parseJsonObject(text)
    if (!answer) throw new Fault('upstream-failed', 'its answer is not a JSON object')
    return answer
  }
}

type Authorizer = (
  path: string,
  body: string,
  signal: AbortSignal,
) => Record<string, string> | Promise<Record<string, string>>

function createAuthorizer(
  { auth }: SafetyService,
  credential: string,
  origin: URL,
  openTransport: (origin: URL) => Transport,
  now: () => number,
): Authorizer {
  switch (auth.kind) {
    case 'none':
      return () => ({})
    case 'header': {
      const header = { [auth.name]: auth.prefix + credential }
      return () => header
    }
    case 'signature': {
      const [, id, secret, session] = accessKeyPattern.exec(credential) ?? []
      if (id === undefined || secret === undefined) {
        throw new Fault(
          'upstream-misconfigured',
          'its credential is not ACCESS_KEY_ID:SECRET or ACCESS_KEY_ID:SECRET:SESSION',
        )
      }
      const { region, service } = auth
      return (path, body) =>
        signRequest(
          { id, secret, session },
          { method: 'POST', host: origin.host, path, body, region, service, now: now() },
        )
    }
    case 'token': {
      const account = readServiceAccount(credential)
      if (!account) return () => ({ authorization: `Bearer ${credential}` })
      const source = createTokenSource(account, auth.scope, openTransport(new URL(account.tokenUrl.origin)), now)
      return async (_path, _body, signal) => ({ authorization: `Bearer ${await source.get(signal)}` })
    }
  }
}

function statusFault({ status, headers }: UpstreamResponse): Fault {
  const seconds = Number(headers['retry-after'])
  const retryAfterMs = Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined
  return new Fault(codeOf(status), `it answered ${status}`, { retryAfterMs })
}

function codeOf(status: number): FaultCode {
  if (status === 401 || status === 403 || status === 404) return 'upstream-misconfigured'
  if (status === 429) return 'rate-limited'
  if (status === 408 || status === 504) return 'upstream-timeout'
  if (status === 503) return 'upstream-unavailable'
  return status >= 400 && status < 500 ? 'upstream-rejected' : 'upstream-failed'
}
