import type { BackendSpec, DeploymentSpec } from '../snapshot/deployment-spec.ts'

/**
 * The management API, under `/management` on the same listener as the data plane. JSON in and out.
 * A credential is written as `{"value"}` or `{"env"}`. `{"stored":true}`, as it is shown, keeps the one that is stored for the same
 * scheme, host and port; leaving it out keeps that of the same URL; null removes it. Several backends with one URL keep theirs in order.
 *
 * Credential: `Authorization: Bearer <management credential>`; a resource key gets 403, anything else 401.
 * Errors: `{"error":{"code","message","target"?,"details"?:[{"code","message","target"}]}}`.
 *
 * GET    /management/status                      -> Status
 * GET    /management/keys                        -> { value: KeyView[] }
 * POST   /management/keys/{key1|key2}/regenerate -> KeyView
 * GET    /management/models                      -> { value: ModelView[] }
 * GET    /management/deployments                 -> { value: DeploymentView[] }
 * GET    /management/deployments/{name}          -> DeploymentView
 * PUT    /management/deployments/{name}          DeploymentInput without name -> 200 | 201 DeploymentView (If-Match, If-None-Match: *)
 * PATCH  /management/deployments/{name}          JSON merge patch (RFC 7396) -> DeploymentView (If-Match)
 * DELETE /management/deployments/{name}          -> 204; 404 when there is none (If-Match)
 * GET    /management/deployments/{name}/probe    -> { value: ProbeView[] }
 */

export type KeyView = { readonly name: 'key1' | 'key2'; readonly value: string; readonly createdAt: string }

/** What the outside sees of a credential: that there is one, and where it comes from. Never the secret. */
export type CredentialView = { readonly env: string } | { readonly stored: true }

export type BackendView = Omit<BackendSpec, 'credential'> & { readonly credential?: CredentialView }

export type DeploymentView = Omit<DeploymentSpec, 'backends'> & {
  readonly backends?: readonly BackendView[]
  readonly etag: string
  /** Where it is declared: made by API or CLI, or in the configuration file (then read-only here). */
  readonly source: { readonly kind: 'stored' } | { readonly kind: 'file'; readonly file: string; readonly line: number }
  readonly createdAt: string
  readonly updatedAt: string
}

export type ModelView = {
  readonly format: string
  readonly name: string
  readonly version: string
  readonly description: string
}

export type ProbeView = { readonly backend: string; readonly ok: boolean; readonly detail: string }

export type Status = {
  readonly name: string
  readonly version: string
  readonly pid: number
  readonly startedAt: string
  readonly endpoints: readonly string[]
  readonly dataFolder: string
  readonly configFile?: { readonly path: string; readonly error?: string }
  readonly engine: { readonly state: string; readonly detail: string }
  readonly deployments: number
  /** What an operator should know and no request failed for. */
  readonly warnings: readonly string[]
}

export type ErrorBody = {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly target?: string
    readonly details?: readonly { readonly code: string; readonly message: string; readonly target?: string }[]
  }
}
