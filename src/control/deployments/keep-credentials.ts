import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { DocumentProblem } from '../../core/text/parse-document.ts'
import type { BackendSpec, DeploymentSpec } from '../../snapshot/deployment-spec.ts'

export const credentialRule =
  '{"value": "the secret"}, {"env": "PONTO_SECRET_NAME"}, {"stored": true} to keep what is stored, or null for none'

type Kept = { readonly input: JsonObject } | { readonly problems: readonly DocumentProblem[] }

/**
 * Puts stored credentials where a document asks to keep them. `{"stored": true}` keeps that of the same scheme, host and port: one
 * that was given for an address is never sent to another. A backend that says nothing keeps that of the very same URL. Null is none.
 * Several backends with one URL keep theirs in order.
 */
export function keepCredentials(input: JsonObject, stored: DeploymentSpec | undefined): Kept {
  const { backends } = input
  if (!Array.isArray(backends)) return { input }
  const takeStored = matchBackends(backends, stored?.backends ?? [])
  const problems: DocumentProblem[] = []
  const kept = backends.map((backend, index): Json => {
    if (!isJsonObject(backend)) return backend
    const { credential, ...rest } = backend
    const path = ['backends', index, 'credential']
    if (credential === null) return rest
    if (isJsonObject(credential) && 'sealed' in credential) {
      problems.push({ path, text: `got a sealed secret, expected ${credentialRule}` })
    }
    if (credential !== undefined && !isStoredMark(credential)) return backend
    if (credential === undefined && backend.auth === 'none') return rest
    const found = takeStored(index)
    if (isStoredMark(credential) && !found) problems.push({ path, text: describeMissing(stored) })
    return found ? { ...rest, credential: found } : rest
  })
  return problems.length > 0 ? { problems } : { input: { ...input, backends: kept } }
}

/** Gives, for the index of a backend in the document, the credential it keeps. */
function matchBackends(
  backends: readonly Json[],
  stored: readonly BackendSpec[],
): (index: number) => NonNullable<BackendSpec['credential']> | undefined {
  const free = new Set(stored)
  const matches = new Map<number, BackendSpec>()
  const match = (index: number, isSame: (backend: BackendSpec) => boolean) => {
    const found = [...free].find(isSame)
    if (!found) return
    free.delete(found)
    matches.set(index, found)
  }
  for (const [index, backend] of backends.entries()) {
    const url = readUrl(backend)
    if (url) match(index, (candidate) => new URL(candidate.url).href === url.href)
  }
  for (const [index, backend] of backends.entries()) {
    const url = readUrl(backend)
    if (!url || matches.has(index) || !isJsonObject(backend) || !isStoredMark(backend.credential)) continue
    match(index, (candidate) => candidate.credential !== undefined && new URL(candidate.url).origin === url.origin)
  }
  return (index) => matches.get(index)?.credential
}

function readUrl(backend: Json): URL | undefined {
  const url = isJsonObject(backend) ? backend.url : undefined
  return typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined
}

function isStoredMark(credential: Json | undefined): boolean {
  return isJsonObject(credential) && credential.stored === true && Object.keys(credential).length === 1
}

function describeMissing(stored: DeploymentSpec | undefined): string {
  const origins = (stored?.backends ?? []).filter(({ credential }) => credential).map(({ url }) => new URL(url).origin)
  if (origins.length === 0)
    return 'got {"stored": true}, but no credential is stored; give it as {"value": ...} or {"env": ...}'
  const given = [...new Set(origins)].join(', ')
  return `got {"stored": true}, but what is stored was given for ${given} and is not sent elsewhere; give the credential again`
}
