import type { Timeouts, Transport } from '../../backend/transport/transport.ts'
import { type Attempts, createAttempts } from '../../control/identity/attempts.ts'
import { createHostJudge } from '../../control/identity/authenticate.ts'
import type { Sealer } from '../../core/access/seal.ts'
import type { ResourceId } from '../../core/resource.ts'
import { compileNetworkRules, createAddressReader, type JudgeAddress } from '../../policy/access/network.ts'
import { createAudienceJudge, type JudgeAudience } from '../../policy/access/token/audience.ts'
import { createTokenDoor, type TokenDoor } from '../../policy/access/token/token-door.ts'
import type { Tables } from '../../port/tables/port.ts'
import { type DeclaredIdentity, noIdentity } from '../../snapshot/file/identity-section.ts'
import { type IdentityState, openIdentityState } from '../../snapshot/keys/identity/identity-state.ts'
import { type OwnIssuer, openOwnIssuer } from '../../snapshot/keys/identity/own-issuer.ts'
import { trustIssuer } from '../../snapshot/keys/identity/trust-issuer.ts'
import type { Logger } from '../../telemetry/logger.ts'

export type IdentityParts = {
  readonly tables: Pick<Tables, 'identity' | 'subscribe'>
  readonly sealer: Sealer
  /** The names that the server is reached by, besides the loopback ones. */
  listNames(): readonly string[]
  /** The id of the resource of that name, without regard to case. */
  findResource(name: string): ResourceId | undefined
  openTransport(origin: URL, timeouts: Timeouts): Transport
  readonly log: Pick<Logger, 'warn'>
  /** Unix milliseconds. */
  now(): number
}

/** Whose tokens are taken, who may do what, and from where. */
export type Identity = {
  readonly state: IdentityState
  readonly issuer: OwnIssuer
  readonly tokens: TokenDoor
  readonly attempts: Attempts
  readonly judgeAudience: JudgeAudience
  /** Takes over what the configuration file says now. */
  declare(declared: DeclaredIdentity | undefined): void
  /** Which addresses management is open to; undefined: all. */
  judgeManagementAddress(): JudgeAddress | undefined
  /** The address of a client behind proxies that are trusted; undefined where there are none. */
  addressReader(): ReturnType<typeof createAddressReader>
  close(): void
}

export async function openIdentity(parts: IdentityParts): Promise<Identity> {
  const { tables, sealer, listNames, findResource, openTransport, log, now } = parts
  const onProblem = (message: string): void => log.warn({}, message)
  let tokens: TokenDoor | undefined
  const onKeysChanged = (): void => tokens?.forget()
  const monotonic = performance.now.bind(performance)
  const issuer = await openOwnIssuer({ table: tables.identity, sealer, onKeysChanged, onProblem, now })
  const state = await openIdentityState({
    table: tables.identity,
    own: issuer.trusted,
    trust: (spec) => trustIssuer(spec, { openTransport, onKeysChanged, onProblem, now: monotonic }),
    findResource,
    onProblem,
    now,
  })
  const judgeAudience = createAudienceJudge(createHostJudge(listNames))
  const door = createTokenDoor({ rules: state.rules, judgeAudience, onSeen: state.noteSeen })
  tokens = door
  let judgeManagementAddress: JudgeAddress | undefined
  let addressReader: ReturnType<typeof createAddressReader>
  const reload = (): void => {
    Promise.all([state.reload(), issuer.trusted.keys.reload()]).catch((error) =>
      onProblem(`Identities that another server changed cannot be read: ${String(error)}`),
    )
  }
  return {
    state,
    issuer,
    tokens: door,
    attempts: createAttempts(monotonic),
    judgeAudience,
    declare(declared = noIdentity) {
      state.declare(declared)
      judgeManagementAddress = compileNetworkRules(declared.managementNetwork)
      addressReader = createAddressReader(declared.trustedProxies)
    },
    judgeManagementAddress: () => judgeManagementAddress,
    addressReader: () => addressReader,
    close: tables.subscribe(reload),
  }
}
