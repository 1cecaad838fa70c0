import type { Caller } from '../core/exchange.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { writeModelInfo } from '../wire/azure-inference/info.ts'
import { writeBaseModels, writeDeployments, writeV1Model, writeV1Models } from '../wire/openai-models/server.ts'
import { listVisible, resolveDeployment } from './resolve.ts'
import type { ListName } from './routes.ts'

/** Answers from the Snapshot alone, with what the caller may use. `named` is the deployment the request names, if it names one. */
export function respondList(
  list: ListName,
  snapshot: Snapshot,
  caller: Caller,
  named: string,
  apiVersion: string,
  headers: Record<string, string>,
): Response {
  return new Response(writeList(list, snapshot, caller, named, apiVersion), { headers })
}

function writeList(list: ListName, snapshot: Snapshot, caller: Caller, named: string, apiVersion: string): string {
  const deployments = listVisible(snapshot, caller)
  switch (list) {
    case 'info':
      return writeModelInfo(resolveDeployment(snapshot, caller, named), apiVersion)
    case 'deployments':
      return writeDeployments(deployments)
    case 'base-models':
      return writeBaseModels(deployments)
    case 'v1-models':
      return writeV1Models(deployments)
    case 'v1-model':
      return JSON.stringify(writeV1Model(resolveDeployment(snapshot, caller, named)))
  }
}
