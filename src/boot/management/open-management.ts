import { type ArmOptions, createArm, isArmPath } from '../../control/arm/create-arm.ts'
import { type ControlOptions, createControl } from '../../control/create-control.ts'
import { createHostCheck } from '../../control/identity/authenticate.ts'
import { createIssuerRoutes } from '../../control/identity/issuer-routes.ts'
import { createSessionDoor } from '../../control/portal/session-door.ts'
import { createSessions } from '../../control/portal/sessions.ts'
import { faultCodes } from '../../core/fault-codes.ts'
import type { Handle, ReadAddress, SetTurn } from '../../gateway/server.ts'
import type { AuditTable } from '../../port/tables/audit/port.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { makeResourceKey } from '../secrets.ts'
import type { Identity } from '../stores/open-identity.ts'
import { greetBrowser, isPortalPath, openPortal, type PortalParts } from './open-portal.ts'

export type ManagementParts = Pick<ControlOptions, 'accounts' | 'managementCredential' | 'isResourceKey'> &
  Pick<ArmOptions, 'groups'> &
  Pick<PortalParts, 'version' | 'folder' | 'isLocalCertificate' | 'gateway' | 'findKey'> & {
    readonly identity: Identity
    readonly identityTable: ControlOptions['identity']['table']
    listResources: ControlOptions['identity']['listResources']
    readonly audit: AuditTable
    /** The names and addresses that the server answers to, without ports. */
    listNames(): readonly string[]
    readonly log: Logger
  }

export type Management = {
  /** The answer to whatever is the operator's and no call; undefined for a path that is none of that. */
  handle(request: Request, url: URL, setTurn: SetTurn, readAddress: ReadAddress): Promise<Response> | undefined
  /** The code of a link that opens the portal once. */
  issueLink(): string
}

/** All ways to manage the server, behind one guard: our own API, that of Azure Resource Manager, the token issuer and the portal. */
export function openManagement(parts: ManagementParts): Management {
  const { identity, accounts, listNames, log } = parts
  const { issuer, judgeAudience, attempts } = identity
  const guard = {
    managementCredential: parts.managementCredential,
    isResourceKey: parts.isResourceKey,
    hostNames: listNames,
    tokens: identity.tokens,
    judgeAddress: identity.judgeManagementAddress,
    audit: parts.audit,
    onAuditLost: ((row, error) =>
      log.error({ ...row, err: error }, 'this change is not in the audit log')) satisfies ControlOptions['onAuditLost'],
    onFault: ((fault, requestId) =>
      log[faultCodes[fault.code].log](
        { requestId, code: fault.code },
        fault.message,
      )) satisfies ControlOptions['onFault'],
    now: Date.now,
  }
  const arm = createArm({ ...guard, accounts, groups: parts.groups, tenantId: issuer.tenant })
  const sessions = createSessions(Date.now)
  const control = createControl({
    ...guard,
    findVisitor: createSessionDoor(sessions),
    accounts,
    sessions,
    identity: {
      table: parts.identityTable,
      identity: identity.state,
      issuer,
      judgeAudience,
      listResources: parts.listResources,
      makeKey: makeResourceKey,
      now: Date.now,
    },
  })
  const issuerRoutes = createIssuerRoutes({
    issuer,
    judgeAudience,
    attempts,
    principals: identity.state.principals,
    checkHost: createHostCheck(listNames),
    now: Date.now,
    onFault: guard.onFault,
  })
  const { version, folder, isLocalCertificate, gateway, findKey } = parts
  const portal: Handle = openPortal({
    ...guard,
    sessions,
    attempts,
    version,
    folder,
    isLocalCertificate,
    gateway,
    findKey,
  })

  return {
    handle(request, url, setTurn, readAddress) {
      const path = url.pathname
      if (path.startsWith('/management')) return control(request, readAddress)
      if (isPortalPath(path)) return portal(request, url, setTurn, readAddress)
      if (isArmPath(path)) return arm.handle(request, readAddress)
      const issued = issuerRoutes.handle(request, url, readAddress)
      if (issued) return issued
      const greeting = greetBrowser(request, path)
      return greeting && Promise.resolve(greeting)
    },
    issueLink: () => sessions.issueLink().code,
  }
}
