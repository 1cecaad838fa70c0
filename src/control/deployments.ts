import { Fault } from '../core/fault.ts'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import type { Sealer } from '../core/seal.ts'
import { sealCredential } from '../snapshot/credential.ts'
import type { BackendSpec, DeploymentSpec } from '../snapshot/deployment-spec.ts'
import type { DesiredDeployment, DesiredState } from '../snapshot/desired-state.ts'
import { readDeployment } from '../snapshot/read-deployment.ts'
import type { ModelView, ProbeView } from './api.ts'
import { viewDeployment } from './deployment-view.ts'
import { refuseDocument } from './errors.ts'
import type { Answer } from './http/answer.ts'
import { mergePatch } from './http/merge-patch.ts'
import { checkPreconditions } from './http/preconditions.ts'
import { readJsonBody } from './http/read-body.ts'
import { credentialRule, keepCredentials } from './keep-credentials.ts'

export type DeploymentsOptions = {
  readonly state: DesiredState
  readonly sealer: Sealer
  readonly builtinModels: readonly ModelView[]
  /** The value of an environment variable. */
  readSecret(name: string): string | undefined
  probeDeployment(name: string): Promise<readonly ProbeView[]>
}

type Handler = (request: Request, name: string) => Promise<Answer>

/** What GET adds to a document; accepted back, so that what was read can be changed and written. */
const shownFields = ['etag', 'source', 'createdAt', 'updatedAt'] as const

export function createDeployments(
  options: DeploymentsOptions,
): Record<'list' | 'show' | 'put' | 'patch' | 'remove' | 'probe', Handler> {
  const { state } = options

  function find(name: string): DesiredDeployment {
    return state.get(name) ?? refuseUnknown(name)
  }

  /** The document as it will be stored. Runs inside the write, so that `current` is what the write replaces. */
  function accept(document: JsonObject, name: string, current: DesiredDeployment | undefined): DeploymentSpec {
    const kept = keepCredentials(withoutShownFields(document, name), current?.spec)
    if ('problems' in kept) throw refuseDocument(kept.problems)
    const reading = readDeployment({ ...kept.input, name }, { ...options, credentialRule })
    if ('problems' in reading) throw refuseDocument(reading.problems)
    return sealSpec(reading.spec, options.sealer)
  }

  return {
    list: async () => ({ status: 200, body: { value: state.list().map(viewDeployment) } }),
    show: async (_request, name) => answer(200, find(name)),
    async put(request, name) {
      const document = await readJsonBody(request)
      const { deployment, isNew } = await state.write(name, (current) => {
        checkPreconditions(request.headers, stateOf(current))
        return accept(document, name, current)
      })
      return answer(isNew ? 201 : 200, deployment)
    },
    async patch(request, name) {
      const patch = await readJsonBody(request)
      const { deployment } = await state.write(name, (current) => {
        if (!current) return refuseUnknown(name)
        checkPreconditions(request.headers, stateOf(current))
        const { source, etag, createdAt, updatedAt, ...shown } = viewDeployment(current)
        return accept(mergePatch(shown as unknown as JsonObject, patch), name, current)
      })
      return answer(200, deployment)
    },
    async remove(request, name) {
      const wasThere = await state.remove(name, (current) => checkPreconditions(request.headers, stateOf(current)))
      return wasThere ? { status: 204 } : refuseUnknown(name)
    },
    probe: async (_request, name) => ({
      status: 200,
      body: { value: await options.probeDeployment(find(name).spec.name) },
    }),
  }
}

function answer(status: number, deployment: DesiredDeployment): Answer {
  return { status, body: viewDeployment(deployment), headers: { etag: `"${deployment.etag}"` } }
}

function refuseUnknown(name: string): never {
  throw new Fault(
    'deployment-not-found',
    `There is no deployment ${JSON.stringify(name)}. GET /management/deployments lists those there are.`,
  )
}

function withoutShownFields(document: JsonObject, name: string): JsonObject {
  const given = document.name
  if (given !== undefined && (typeof given !== 'string' || given.toLowerCase() !== name.toLowerCase())) {
    const shown = typeof given === 'string' ? JSON.stringify(given) : 'another type'
    const text = `got ${shown}, expected ${JSON.stringify(name)} as in the path (a deployment cannot be renamed), or nothing`
    throw refuseDocument([{ path: ['name'], text }])
  }
  const rest = { ...document }
  for (const field of shownFields) delete rest[field]
  return rest
}

/** Secrets as they will be stored. */
function sealSpec(spec: DeploymentSpec, sealer: Sealer): DeploymentSpec {
  const seal = (backend: BackendSpec): BackendSpec => {
    const { credential, url } = backend
    const isPlain = isJsonObject(credential) && 'value' in credential
    return isPlain ? { ...backend, credential: sealCredential(sealer, spec.name, url, credential.value) } : backend
  }
  return spec.backends ? { ...spec, backends: spec.backends.map(seal) } : spec
}

function stateOf(current: DesiredDeployment | undefined): { etag: string; name: string } | undefined {
  return current && { etag: current.etag, name: current.spec.name }
}
