import { Fault } from '../../core/fault.ts'
import { randomHex } from '../../core/text/id.ts'
import { tokenLifetimeS } from '../../snapshot/keys/identity/own-issuer.ts'
import type { Answer } from '../http/answer.ts'
import { findPrincipal, type IssueParts, readAudience, TokenRefusal } from './issue-token.ts'

/** The two ways to a token: a client secret (OAuth 2.0), and the header that a managed identity has in its surroundings. */

const maxFormBytes = 16 * 1024

/** `POST /{tenant}/oauth2/v2.0/token`, and `/oauth2/token`, which asks for a `resource` in place of a `scope`. */
export async function answerTokenRequest(
  parts: IssueParts,
  request: Request,
  version: 1 | 2,
  base: string,
  address: string,
): Promise<Answer> {
  const form = await readForm(request)
  const grant = form.get('grant_type')
  if (grant !== 'client_credentials') {
    throw new TokenRefusal(
      400,
      'unsupported_grant_type',
      70003,
      "The parameter grant_type has to be 'client_credentials': this server knows programs, and people by the tokens of other issuers.",
    )
  }
  const [id, secret] = readClient(request.headers.get('authorization')) ?? [
    form.get('client_id'),
    form.get('client_secret'),
  ]
  if (!id || !secret) {
    throw new TokenRefusal(
      401,
      'invalid_client',
      7000218,
      "The request has to contain 'client_id' and 'client_secret'; certificates are not taken.",
    )
  }
  const principal = findPrincipal(parts, id, secret, address)
  const field = version === 2 ? 'scope' : 'resource'
  const audience = readAudience(parts, form.get(field), field)
  const { token, expiresOn } = await parts.issuer.sign(principal, audience, base)
  const common = { token_type: 'Bearer', access_token: token }
  // The older endpoint writes numbers as text.
  const body =
    version === 2
      ? { ...common, expires_in: tokenLifetimeS, ext_expires_in: tokenLifetimeS }
      : {
          ...common,
          expires_in: String(tokenLifetimeS),
          ext_expires_in: String(tokenLifetimeS),
          expires_on: String(expiresOn),
          not_before: String(expiresOn - tokenLifetimeS),
          resource: audience,
        }
  return { status: 200, body, headers: { pragma: 'no-cache' } }
}

/**
 * `GET IDENTITY_ENDPOINT?api-version=2019-08-01&resource=...` with `X-IDENTITY-HEADER`, as programs on App Service ask. The header is the secret
 * of a service principal; `client_id`, `principal_id` or `object_id` may say again whose.
 */
export async function answerIdentityRequest(
  parts: IssueParts,
  request: Request,
  url: URL,
  base: string,
  address: string,
): Promise<Answer> {
  const secret = request.headers.get('x-identity-header')
  if (!secret) throw new TokenRefusal(401, 'invalid_client', 7000218, 'The header X-IDENTITY-HEADER is missing.')
  const query = url.searchParams
  // Some clients send the parameter without a value where they name nobody.
  const principal = findPrincipal(parts, query.get('client_id') || query.get('clientid') || undefined, secret, address)
  const wanted = query.get('principal_id') ?? query.get('object_id')
  if (wanted !== null && wanted.toLowerCase() !== principal.objectId) {
    throw new TokenRefusal(400, 'invalid_request', 7000216, 'The secret is of another identity than the one asked for.')
  }
  const audience = readAudience(parts, query.get('resource'), 'resource')
  const { token, expiresOn } = await parts.issuer.sign(principal, audience, base)
  return {
    status: 200,
    body: {
      access_token: token,
      client_id: principal.appId,
      expires_on: String(expiresOn),
      not_before: String(expiresOn - tokenLifetimeS),
      resource: audience,
      token_type: 'Bearer',
    },
  }
}

export function describeRefusal({ status, error, number, message }: TokenRefusal, now: number): Answer {
  const traceId = randomHex()
  return {
    status,
    body: {
      error,
      error_description: `AADSTS${number}: ${message} Trace ID: ${traceId}`,
      error_codes: [number],
      timestamp: new Date(now).toISOString().replace('T', ' ').replace(/\.\d+/, ''),
      trace_id: traceId,
      correlation_id: traceId,
      // Of the managed-identity protocol, whose clients read it.
      message,
    },
  }
}

async function readForm(request: Request): Promise<URLSearchParams> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') {
    throw new TokenRefusal(400, 'invalid_request', 900144, 'The body has to be application/x-www-form-urlencoded.')
  }
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of request.body ?? []) {
      length += chunk.length
      if (length > maxFormBytes) throw new TokenRefusal(413, 'invalid_request', 90015, 'The request is too long.')
      chunks.push(chunk)
    }
  } catch (error) {
    if (!request.signal.aborted) throw error
    throw new Fault('client-gone', 'The connection ended before the request body was complete.')
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}

/** `Basic`, each part in percent-encoding. */
function readClient(header: string | null): readonly [id: string, secret: string] | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=]+) *$/i.exec(header ?? '')?.[1]
  const [id, secret] = encoded === undefined ? [] : splitOnce(Buffer.from(encoded, 'base64').toString('utf8'))
  return id && secret ? [decode(id), decode(secret)] : undefined
}

function splitOnce(text: string): readonly [string, string] {
  const at = text.indexOf(':')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
