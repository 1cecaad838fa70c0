import type { Sealer } from '../core/access/seal.ts'
import { deploymentKey } from '../core/deployment.ts'
import { Fault } from '../core/fault.ts'
import type { BackendSpec } from './deployment-spec.ts'

export type CredentialSpec = NonNullable<BackendSpec['credential']>

/** A secret sealed for one origin: with another name or address in its row it does not open, so nobody can have it sent elsewhere. */
export function sealCredential(sealer: Sealer, deployment: string, url: string, secret: string): { sealed: string } {
  return { sealed: sealer.seal(secret, sealContext(deployment, url)) }
}

/**
 * Makes the function that gives the secret of a backend, or undefined when it has none. It throws Fault `upstream-misconfigured`
 * when the variable is not set or the sealed value does not open.
 */
export function createCredentialReader(
  sealer: Sealer,
  readSecret: (name: string) => string | undefined,
): (deployment: string, backend: Pick<BackendSpec, 'url' | 'credential'>) => string | undefined {
  return (deployment, { url, credential }) => {
    if (!credential) return undefined
    if ('value' in credential) return credential.value
    if ('sealed' in credential) return openSealed(sealer, deployment, url, credential.sealed)
    const secret = readSecret(credential.env)
    if (secret) return secret
    throw new Fault(
      'upstream-misconfigured',
      `The credential of deployment "${deployment}" is in the variable ${credential.env}, which is not set.`,
    )
  }
}

function openSealed(sealer: Sealer, deployment: string, url: string, sealed: string): string {
  try {
    return sealer.open(sealed, sealContext(deployment, url))
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    throw new Fault('upstream-misconfigured', error.message, { cause: error })
  }
}

function sealContext(deployment: string, url: string): string {
  return `deployment ${deploymentKey(deployment)} at ${new URL(url).origin}`
}
