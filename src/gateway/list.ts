import type { Deployment } from '../core/deployment.ts'
import type { Caller } from '../core/exchange.ts'
import { authorizeDataAction } from '../policy/access/authorize.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { writeModelInfo } from '../wire/azure-inference/info.ts'
import { writeBaseModels, writeDeployments, writeV1Model, writeV1Models } from '../wire/openai-models/server.ts'
import { actionOfList, authorizeList, mayList } from './admit.ts'
import { listVisible, resolveDeployment } from './resolve.ts'
import type { ListName } from './routes.ts'

/** Answers from the Snapshot alone, with what the caller may use. `named` is the deployment the request names, if it names one. */
export function respondList(
  list: ListName,
  snapshot: Snapshot,
  caller: Caller,
  named: string,
  apiVersion: string,
  operation: string,
  headers: Record<string, string>,
): Response {
  return new Response(writeList(list, snapshot, caller, named, apiVersion, operation), { headers })
}

function writeList(
  list: ListName,
  snapshot: Snapshot,
  caller: Caller,
  named: string,
  apiVersion: string,
  operation: string,
): string {
  const deployments = listVisible(snapshot, caller).filter((one) => mayList(caller, list, one, snapshot))
  // To whom nothing may be shown it is said why, unless there is nothing.
  if (deployments.length === 0 && named === '') {
    authorizeDataAction(caller, actionOfList(list), { kind: 'resource', resource: snapshot.resource.id }, operation)
  }
  const find = (): Deployment => {
    const found = resolveDeployment(snapshot, caller, named)
    authorizeList(caller, list, found, snapshot, operation)
    return found
  }
  switch (list) {
    case 'info':
      return writeModelInfo(find(), apiVersion)
    case 'deployments':
      return writeDeployments(deployments)
    case 'base-models':
      return writeBaseModels(deployments)
    case 'v1-models':
      return writeV1Models(deployments)
    case 'v1-model':
      return JSON.stringify(writeV1Model(find()))
  }
}
