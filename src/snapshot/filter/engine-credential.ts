import type { Sealer } from '../../core/access/seal.ts'
import { Fault } from '../../core/fault.ts'
import type { EngineDocument } from './engine-spec.ts'

/** A secret sealed for one engine at one address: nobody can have it sent elsewhere by changing its row. */
export function sealEngineCredential(
  sealer: Sealer,
  engine: Pick<EngineDocument, 'name' | 'kind' | 'url'>,
  secret: string,
): { sealed: string } {
  return { sealed: sealer.seal(secret, sealContext(engine)) }
}

/**
 * Makes the function that gives the secret of an engine, or undefined when it has none. It throws Fault `upstream-misconfigured` when the
 * variable is not set or the sealed value does not open.
 */
export function createEngineCredentialReader(
  sealer: Sealer,
  readSecret: (name: string) => string | undefined,
): (engine: EngineDocument) => string | undefined {
  return (engine) => {
    const { credential, name } = engine
    if (!credential) return undefined
    if ('value' in credential) return credential.value
    if ('env' in credential) {
      const secret = readSecret(credential.env)
      if (secret) return secret
      throw new Fault(
        'upstream-misconfigured',
        `The credential of the filter engine "${name}" is in the variable ${credential.env}, which is not set.`,
      )
    }
    try {
      return sealer.open(credential.sealed, sealContext(engine))
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      throw new Fault('upstream-misconfigured', error.message, { cause: error })
    }
  }
}

/** Where no address is given it is the kind's own. */
function sealContext({ name, kind, url }: Pick<EngineDocument, 'name' | 'kind' | 'url'>): string {
  return `filter engine ${name.toLowerCase()} at ${url === undefined ? kind : new URL(url).origin}`
}
