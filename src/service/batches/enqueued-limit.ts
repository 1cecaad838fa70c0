import type { Deployment } from '../../core/deployment.ts'
import type { BatchWorld } from './parts.ts'

/** Tokens that all waiting batches of a deployment may hold together: what its SKU gives it, or the server's own limit. */
export function enqueuedLimit({ settings }: Pick<BatchWorld, 'settings'>, { limits }: Deployment): number {
  return limits?.kind === 'enqueued' ? limits.tokens : settings.maxEnqueuedTokens
}
