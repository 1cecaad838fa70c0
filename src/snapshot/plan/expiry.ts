import type { DeploymentSpec } from '../deployment-spec.ts'
import type { DesiredDeployment } from '../desired-state.ts'

const developerTierMs = 24 * 3_600_000

/** When a deployment ends by itself, which is only so under the SKU for trying things out. Unix milliseconds. */
export function expiryOf({ sku }: DeploymentSpec, createdAt: number): number | undefined {
  return sku?.name === 'DeveloperTier' ? createdAt + developerTierMs : undefined
}

/** Names of the stored deployments that have ended and are to be deleted. What the file declares only stops answering. */
export function listExpired(deployments: readonly DesiredDeployment[], nowMs: number): string[] {
  return deployments
    .filter(({ spec, source, createdAt }) => {
      const expiresAt = expiryOf(spec, createdAt)
      return source.kind === 'stored' && expiresAt !== undefined && expiresAt <= nowMs
    })
    .map(({ spec }) => spec.name)
}
