import { hash } from 'node:crypto'
import type { JudgeAudience } from '../../policy/access/token/audience.ts'
import type { ServicePrincipalRow } from '../../port/tables/access/identity/port.ts'
import type { OwnIssuer } from '../../snapshot/keys/identity/own-issuer.ts'
import type { Attempts } from './attempts.ts'

export type IssueParts = {
  readonly issuer: OwnIssuer
  principals(): readonly ServicePrincipalRow[]
  readonly judgeAudience: JudgeAudience
  readonly attempts: Attempts
  /** Unix milliseconds. */
  now(): number
}

/** Why no token is issued, in the words and with the numbers of the vendor's endpoint, which clients show and look for. */
export class TokenRefusal extends Error {
  readonly status: number
  readonly error: string
  readonly number: number

  constructor(status: number, error: string, number: number, message: string) {
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    super(message)
    Error.stackTraceLimit = limit
    this.status = status
    this.error = error
    this.number = number
  }
}

/**
 * Whose secret it is. `clientId` undefined: whoever has it. Who is not there and who has another secret are refused in the same words. Throws
 * TokenRefusal, and Fault `rate-limited`.
 */
export function findPrincipal(
  parts: IssueParts,
  clientId: string | undefined,
  secret: string,
  address: string,
): ServicePrincipalRow {
  const { attempts, principals, now } = parts
  attempts.check(address)
  // A look-up of digests takes the same time whatever a guess has in common with a secret.
  const digest = hashSecret(secret)
  const found = principals().find(
    (one) =>
      (clientId === undefined || one.appId === clientId.toLowerCase()) &&
      ((one.digest === digest && (one.endsAt === undefined || one.endsAt > now())) ||
        (one.previous?.digest === digest && one.previous.endsAt > now())),
  )
  if (found) return found
  attempts.noteFailure(address)
  throw new TokenRefusal(
    401,
    'invalid_client',
    7000215,
    'Invalid client id or secret provided. Ensure that the secret being sent is its value, and that it has not ended.',
  )
}

/** The audience that is asked for, as a scope (`https://.../.default`) or a resource. Throws TokenRefusal for one that no plane takes. */
export function readAudience(parts: IssueParts, asked: string | null, field: 'scope' | 'resource'): string {
  const [first = '', ...more] = (asked ?? '')
    .split(' ')
    .filter((scope) => !/^(openid|profile|offline_access)$/.test(scope))
  const audience = first.replace(/\/\.default$/, '')
  const isKnown = (['data', 'management'] as const).some((plane) => parts.judgeAudience(audience, plane))
  if (more.length === 0 && isKnown) return audience
  const example =
    field === 'scope' ? 'https://cognitiveservices.azure.com/.default' : 'https://cognitiveservices.azure.com'
  throw first === ''
    ? new TokenRefusal(
        400,
        'invalid_request',
        900144,
        `The request has to contain the parameter '${field}', for example ${example}.`,
      )
    : new TokenRefusal(
        400,
        field === 'scope' ? 'invalid_scope' : 'invalid_resource',
        500011,
        `The ${field} is none that this server issues tokens for. Ask for ${example}, https://ai.azure.com, https://ml.azure.com, https://management.azure.com or the server's own address.`,
      )
}

export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex')
}
