import type { BackendSpec } from '../snapshot/deployment-spec.ts'
import type { DesiredDeployment } from '../snapshot/desired-state.ts'
import type { BackendView, CredentialView, DeploymentView } from './api.ts'

/** A deployment as the outside sees it: of a credential only that there is one, and where it comes from. */
export function viewDeployment({ spec, source, etag, createdAt, updatedAt }: DesiredDeployment): DeploymentView {
  const { name, model, backends } = spec
  return {
    name,
    model,
    ...(backends ? { backends: backends.map(viewBackend) } : {}),
    etag,
    source,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  }
}

function viewBackend({ credential, ...backend }: BackendSpec): BackendView {
  return credential ? { ...backend, credential: viewCredential(credential) } : backend
}

function viewCredential(credential: NonNullable<BackendSpec['credential']>): CredentialView {
  return 'env' in credential ? { env: credential.env } : { stored: true }
}
