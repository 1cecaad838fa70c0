import type { Snapshot } from '../snapshot/snapshot.ts'
import { writeModelInfo } from '../wire/azure-inference/info.ts'
import { writeBaseModels, writeDeployments, writeV1Model, writeV1Models } from '../wire/openai-models/server.ts'
import { resolveDeployment } from './resolve.ts'
import type { ListName } from './routes.ts'

/** Answers from the Snapshot alone. `named` is the deployment the request names, if it names one. */
export function respondList(
  list: ListName,
  snapshot: Snapshot,
  named: string,
  apiVersion: string,
  headers: Record<string, string>,
): Response {
  return new Response(writeList(list, snapshot, named, apiVersion), { headers })
}

function writeList(list: ListName, snapshot: Snapshot, named: string, apiVersion: string): string {
  const deployments = snapshot.deployments.values()
  switch (list) {
    case 'info':
      return writeModelInfo(resolveDeployment(snapshot, named), apiVersion)
    case 'deployments':
      return writeDeployments(deployments)
    case 'base-models':
      return writeBaseModels(deployments)
    case 'v1-models':
      return writeV1Models(deployments)
    case 'v1-model':
      return JSON.stringify(writeV1Model(resolveDeployment(snapshot, named)))
  }
}
