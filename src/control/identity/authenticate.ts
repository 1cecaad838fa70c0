import { createHash, timingSafeEqual } from 'node:crypto'
import { operator, type Principal } from '../../core/access/principal.ts'
import { Fault } from '../../core/fault.ts'
import type { JudgeAddress } from '../../policy/access/network.ts'
import type { TokenDoor } from '../../policy/access/token/token-door.ts'
import { isToken } from '../../policy/access/token/verify-token.ts'

export type AuthenticateOptions = {
  readonly managementCredential: string
  /** Whether it is a key of the data plane, which opens nothing here but deserves a clearer answer. */
  isResourceKey(key: string): boolean
  readonly tokens: Pick<TokenDoor, 'admit'>
  /** Which addresses management is open to; undefined: all. */
  judgeAddress(): JudgeAddress | undefined
  /** Unix milliseconds. */
  now(): number
  /** The names and addresses the server is reached by, besides the loopback ones; without ports. */
  hostNames(): readonly string[]
  /** Who is signed in to the portal, undefined where a request brings no session; without it sessions open nothing. Throws Faults. */
  readonly findVisitor?: ((headers: Headers, method: string) => Principal | undefined) | undefined
}

export type Gate = {
  /** Throws Fault `forbidden` unless the request was addressed to this server. */
  checkHost(headers: Headers): void
  /** Throws Fault `forbidden` for an address that management is not open to. */
  checkAddress(readAddress: () => string): void
  /** Throws Fault `forbidden` for a page of another origin. */
  checkOrigin(headers: Headers): void
  /** Who asks. Rejects with Fault `unauthorized`, `forbidden` or `identity-unavailable` unless it is somebody. */
  authenticate(headers: Headers, method: string): Promise<Principal>
}

/** Whether the server is reached by that name, without a port, in any spelling. */
export function createHostJudge(listNames: () => readonly string[]): (name: string) => boolean {
  const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])
  return (name) => {
    const normal = normalizeName(name)
    if (loopback.has(normal) || /^[a-z0-9.-]+\.localhost$/.test(normal)) return true
    return listNames().some((own) => normalizeName(own) === normal)
  }
}

/** Throws Fault `forbidden` unless the request was addressed to this server. */
export function createHostCheck(listNames: () => readonly string[]): (headers: Headers) => void {
  const isOwnHost = createHostJudge(listNames)
  return (headers) => checkHost(headers.get('host'), isOwnHost)
}

export function createGate(options: AuthenticateOptions): Gate {
  const expected = digest(options.managementCredential)
  async function authenticate(headers: Headers, method: string): Promise<Principal> {
    checkOrigin(headers.get('origin'), headers.get('host'))
    const presented = readBearer(headers.get('authorization'))
    const visitor = presented === undefined ? options.findVisitor?.(headers, method) : undefined
    if (visitor) return visitor
    // Digests, so that neither the time nor the length tells how much of a guess was right.
    if (presented !== undefined && timingSafeEqual(digest(presented), expected)) return operator
    if (presented !== undefined && isToken(presented)) {
      return (await options.tokens.admit(presented, 'management', options.now())).principal
    }
    const keys = [presented, headers.get('api-key')]
    if (keys.some((key) => typeof key === 'string' && options.isResourceKey(key))) {
      throw new Fault(
        'forbidden',
        'A resource key does not open the management API. Send the management credential, or a token, as Authorization: Bearer.',
      )
    }
    throw new Fault(
      'unauthorized',
      presented === undefined
        ? 'The management credential is missing. Send it as Authorization: Bearer.'
        : 'The management credential is not the one of this server.',
    )
  }

  return {
    checkHost: createHostCheck(options.hostNames),
    checkAddress: (readAddress) => options.judgeAddress()?.(readAddress()),
    checkOrigin: (headers) => checkOrigin(headers.get('origin'), headers.get('host')),
    authenticate,
  }
}

/** A page of another site can make its own name point here (DNS rebinding), but cannot hide that name. */
function checkHost(host: string | null, isOwnHost: (name: string) => boolean): void {
  const name = host === null ? '' : normalizeName(host.replace(/:\d*$/, ''))
  if (isOwnHost(name)) return
  throw new Fault(
    'forbidden',
    `The management API is not served under the host ${JSON.stringify(name)}. Use localhost or a name given to the server by flag.`,
  )
}

/** Programs send no Origin; a browser does, and only a page that this server itself serves may call. */
function checkOrigin(origin: string | null, host: string | null): void {
  if (origin === null || isOrigin(origin, host)) return
  throw new Fault('forbidden', 'The management API does not answer pages of another origin.')
}

function isOrigin(origin: string, host: string | null): boolean {
  if (!/^https?:\/\//.test(origin) || !URL.canParse(origin)) return false
  const { protocol, host: originHost } = new URL(origin)
  const own = `${protocol}//${host}`
  return URL.canParse(own) && new URL(own).host === originHost
}

function normalizeName(name: string): string {
  const lower = name.toLowerCase().replace(/\.$/, '')
  return lower.includes(':') && !lower.startsWith('[') ? `[${lower}]` : lower
}

function readBearer(value: string | null): string | undefined {
  return /^bearer +(\S+) *$/i.exec(value ?? '')?.[1]
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
