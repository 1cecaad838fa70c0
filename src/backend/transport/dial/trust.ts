import { createSecureContext, getCACertificates, rootCertificates, type SecureContext } from 'node:tls'
import { Fault } from '../../../core/fault.ts'

let roots: readonly string[] | undefined
const contexts = new Map<string, SecureContext>()

/**
 * The TLS context that trusts the bundled roots, the system's and those in `ca` (PEM). Kept, since reading some 250 certificates
 * takes milliseconds. Throws Fault `upstream-misconfigured` when `ca` is not PEM.
 */
export function trustRoots(ca = ''): SecureContext {
  let context = contexts.get(ca)
  if (!context) {
    roots ??= [...new Set([...rootCertificates, ...getCACertificates('system')])]
    context = createContext(ca === '' ? [...roots] : [...roots, ca])
    contexts.set(ca, context)
  }
  return context
}

function createContext(ca: string[]): SecureContext {
  try {
    return createSecureContext({ ca, minVersion: 'TLSv1.2' })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Fault('upstream-misconfigured', `the additional CA certificate is not a PEM certificate: ${reason}`)
  }
}
