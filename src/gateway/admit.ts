import { inferenceAction, infoAction, listActions } from '../core/access/data-actions.ts'
import type { AccessScope } from '../core/access/principal.ts'
import type { Call } from '../core/call.ts'
import type { Deployment } from '../core/deployment.ts'
import type { Caller } from '../core/exchange.ts'
import { authorizeDataAction, isAllowed } from '../policy/access/authorize.ts'
import { compileNetworkRules, type JudgeAddress } from '../policy/access/network.ts'
import type { TokenDoor } from '../policy/access/token/token-door.ts'
import { admitCaller, type Entrance } from '../policy/authenticate.ts'
import type { Snapshot, SnapshotResource } from '../snapshot/snapshot.ts'
import type { Endpoint, ListName } from './routes.ts'

export type Tokens = Pick<TokenDoor, 'find' | 'admit'>

type Door = Entrance & { readonly judgeAddress: JudgeAddress | undefined }

/** Worked out once for each state of a resource. */
const doors = new WeakMap<SnapshotResource, Door>()

/** Throws Fault `forbidden` for an address that the resource is not open to. */
export function checkAddress({ resource }: Snapshot, address: string): void {
  doorOf(resource).judgeAddress?.(address)
}

/** Who calls, by a key of the resource or a token. Fails as `admitCaller` does. */
export function admit(
  headers: Headers,
  snapshot: Snapshot,
  tokens: Tokens | undefined,
  now: number,
): Caller | Promise<Caller> {
  return admitCaller(headers, snapshot.keys, doorOf(snapshot.resource), tokens, now)
}

function doorOf(resource: SnapshotResource): Door {
  let door = doors.get(resource)
  if (!door) {
    const { properties, id } = resource
    const isForTokensOnly = properties.disableLocalAuth === true
    door = { resource: id, isForTokensOnly, judgeAddress: compileNetworkRules(properties) }
    doors.set(resource, door)
  }
  return door
}

/**
 * Lets the caller go on to what he asks for, as far as that is known before the body was read. Throws Fault `unauthorized`, naming the data
 * action that is missing. `operation` is `POST /path`.
 */
export function authorizeEndpoint(caller: Caller, endpoint: Endpoint, { resource }: Snapshot, operation: string): void {
  if (!caller.principal) return
  const scope: AccessScope = { kind: 'resource', resource: resource.id }
  if (endpoint.kind === 'service') {
    authorizeDataAction(caller, endpoint.route.action, scope, operation)
    return
  }
  // A role on some deployments is enough to be told of those; which they are is seen later.
  if (caller.grant?.deployments?.size !== 0) return
  const action = endpoint.kind === 'list' ? actionOfList(endpoint.list) : inferenceAction(endpoint.end.kind, 'OpenAI')
  authorizeDataAction(caller, action, scope, operation)
}

/** The same of the deployment that is called. */
export function authorizeCall(
  caller: Caller,
  deployment: Deployment,
  { kind }: Call,
  { resource }: Snapshot,
  operation: string,
): void {
  if (!caller.principal) return
  authorizeDataAction(caller, inferenceAction(kind, deployment.model.format), scopeOf(deployment, resource), operation)
}

/** Whether a caller may be told of a deployment in that list. */
export function mayList({ principal }: Caller, list: ListName, one: Deployment, { resource }: Snapshot): boolean {
  return !principal || isAllowed(principal, 'data', actionFor(list, one), scopeOf(one, resource))
}

/** Throws Fault `unauthorized` unless he may. */
export function authorizeList(
  caller: Caller,
  list: ListName,
  one: Deployment,
  { resource }: Snapshot,
  operation: string,
): void {
  authorizeDataAction(caller, actionFor(list, one), scopeOf(one, resource), operation)
}

function actionFor(list: ListName, { model }: Deployment): string {
  return list === 'info' ? infoAction(model.format) : actionOfList(list)
}

function scopeOf({ name }: Deployment, { id }: SnapshotResource): AccessScope {
  return { kind: 'deployment', resource: id, deployment: name }
}

export function actionOfList(list: ListName): string {
  return list === 'deployments' ? listActions.deployments : listActions.models
}
