import type { Deployment, DeploymentLimits, Rate } from '../../core/deployment.ts'
import type { BackendSpec } from '../../snapshot/deployment-spec.ts'
import type { DesiredDeployment } from '../../snapshot/desired-state.ts'
import { expiryOf } from '../../snapshot/plan/expiry.ts'
import type { BackendView, CredentialView, DeploymentView, LimitsView } from '../api.ts'

type Compiled = Pick<Deployment, 'model' | 'limits' | 'lifecycle' | 'filterPolicy'>

/**
 * A deployment as the outside sees it: of a credential only that there is one, and where it comes from. `compiled` is what the data plane
 * makes of it.
 */
export function viewDeployment(
  { spec, source, etag, createdAt, updatedAt }: DesiredDeployment,
  compiled?: Compiled,
): DeploymentView {
  const { backends, ...rest } = spec
  const expiresAt = expiryOf(spec, createdAt)
  return {
    ...rest,
    ...(backends ? { backends: backends.map(viewBackend) } : {}),
    ...(compiled && viewCompiled(compiled)),
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
    etag,
    source,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  }
}

function viewCompiled({ model, limits, lifecycle, filterPolicy }: Compiled) {
  const { status, retiresAt, replacement } = lifecycle
  return {
    servedVersion: model.version,
    effectiveRaiPolicyName: filterPolicy,
    ...(limits && { effectiveLimits: viewLimits(limits) }),
    lifecycle: {
      status,
      ...(retiresAt !== undefined && { retiresAt: new Date(retiresAt).toISOString() }),
      ...(replacement && { replacement }),
    },
  }
}

function viewLimits(limits: DeploymentLimits): LimitsView {
  switch (limits.kind) {
    case 'rate': {
      const { tokens, requests, settles, pool } = limits
      return {
        kind: 'rate',
        rateLimits: [...viewRate('request', requests), ...viewRate('token', tokens)],
        tokenAccounting: settles ? 'settle' : 'estimate',
        ...(pool && { borrowableTokensPerMinute: pool.tokensPerMinute }),
      }
    }
    case 'provisioned':
      return {
        kind: 'provisioned',
        inputTokensPerMinute: limits.inputTokensPerMinute,
        outputWeight: limits.outputWeight,
        ...(limits.concurrency !== undefined && { concurrency: limits.concurrency }),
      }
    case 'enqueued':
      return { kind: 'enqueued', tokens: limits.tokens }
  }
}

/** In the words of Azure's `rateLimits`. */
function viewRate(key: 'request' | 'token', rate: Rate | undefined) {
  return rate ? [{ key, renewalPeriod: rate.windowMs / 1000, count: rate.limit }] : []
}

function viewBackend({ credential, ...backend }: BackendSpec): BackendView {
  return credential ? { ...backend, credential: viewCredential(credential) } : backend
}

function viewCredential(credential: NonNullable<BackendSpec['credential']>): CredentialView {
  return 'env' in credential ? { env: credential.env } : { stored: true }
}
