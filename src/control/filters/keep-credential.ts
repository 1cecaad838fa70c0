import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { EngineDocument } from '../../snapshot/filter/engine-spec.ts'
import { refuseDocument } from '../http/errors.ts'

export const engineCredentialRule =
  '{"value": "the secret"}, {"env": "PONTO_SECRET_NAME"}, {"stored": true} to keep what is stored, or null for none'

/**
 * Puts the stored credential where a document asks to keep it. `{"stored": true}` keeps that of the same kind, scheme, host and port: one
 * that was given for an address is never sent to another. A document that says nothing keeps that of the very same kind and URL. Null is none.
 */
export function keepEngineCredential(input: JsonObject, stored: EngineDocument | undefined): JsonObject {
  const { credential, ...rest } = input
  if (credential === null) return rest
  const asksToKeep = isJsonObject(credential) && credential.stored === true && Object.keys(credential).length === 1
  if (isJsonObject(credential) && 'sealed' in credential) {
    throw refuseDocument([{ path: ['credential'], text: `got a sealed secret, expected ${engineCredentialRule}` }])
  }
  if (credential !== undefined && !asksToKeep) return input
  const isSameKind = stored?.credential !== undefined && stored.kind === input.kind
  const kept = isSameKind && (asksToKeep ? originOf(stored.url) === originOf(input.url) : stored.url === input.url)
  if (kept) return { ...rest, credential: stored.credential as JsonObject }
  if (!asksToKeep) return rest
  const why = stored?.credential
    ? 'what is stored was given for another kind or address and is not sent elsewhere; give the credential again'
    : 'no credential is stored; give it as {"value": ...} or {"env": ...}'
  throw refuseDocument([{ path: ['credential'], text: `got {"stored": true}, but ${why}` }])
}

function originOf(url: unknown): string | undefined {
  return typeof url === 'string' && URL.canParse(url) ? new URL(url).origin : undefined
}
