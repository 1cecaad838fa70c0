import type { Deployment } from '../../core/deployment.ts'
import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import { judgePause } from '../../snapshot/capacity/judge-capacity.ts'
import { shareOf } from '../../snapshot/capacity/quota.ts'
import type { DeploymentSpec } from '../../snapshot/deployment-spec.ts'
import type { DesiredDeployment, DesiredState } from '../../snapshot/desired-state.ts'
import { planDeployment } from '../../snapshot/plan/plan-deployment.ts'
import { previewUpgrade } from '../../snapshot/plan/preview-upgrade.ts'
import type { DeploymentView, ProbeView } from '../api.ts'
import type { Answer } from '../http/answer.ts'
import { isDryRun } from '../http/dry-run.ts'
import { refuseDocument } from '../http/errors.ts'
import { mergePatch } from '../http/merge-patch.ts'
import { checkPreconditions } from '../http/preconditions.ts'
import { readJsonBody } from '../http/read-body.ts'
import { type AcceptOptions, acceptDeployment, forgetOldModel } from './accept-deployment.ts'
import { viewDeployment } from './deployment-view.ts'

export type DeploymentsOptions = AcceptOptions & {
  readonly state: DesiredState
  probeDeployment(name: string): Promise<readonly ProbeView[]>
  /** Unix milliseconds. */
  now(): number
  /** The content filter policy of deployments that name none. */
  readonly defaultPolicy: string
  /** The deployment as the data plane has it now. */
  findCompiled(name: string): Deployment | undefined
}

type Handler = (request: Request, name: string) => Promise<Answer>

/** What a write makes of what is there; what it throws refuses the write. */
type Edit = (current: DesiredDeployment | undefined) => DeploymentSpec

/** Gives the document that shall be, from the one that is shown. Runs inside the write, so that nothing changes in between. */
export type MakeDocument = (current: JsonObject | undefined) => JsonObject

export function createDeployments(options: DeploymentsOptions): Record<
  'list' | 'show' | 'put' | 'patch' | 'remove' | 'probe' | 'pause' | 'resume' | 'upgrade',
  Handler
> & {
  /** Creates or replaces it: what `put` does with the document of its request. */
  change(request: Request, name: string, makeDocument: MakeDocument): Promise<Answer>
} {
  const { state } = options

  function find(name: string): DesiredDeployment {
    return state.get(name) ?? refuseUnknown(name)
  }

  function listSpecs(): DeploymentSpec[] {
    return state.list().map(({ spec }) => spec)
  }

  /** The document as it will be stored. Runs inside the write, so that `current` is what the write replaces. */
  function accept(document: JsonObject, name: string, current: DesiredDeployment | undefined): DeploymentSpec {
    return acceptDeployment(document, name, current?.spec, listSpecs(), options)
  }

  function view(deployment: DesiredDeployment): DeploymentView {
    return viewDeployment(deployment, options.findCompiled(deployment.spec.name))
  }

  function answer(status: number, deployment: DesiredDeployment): Answer {
    return { status, body: view(deployment), headers: { etag: `"${deployment.etag}"` } }
  }

  /** Judges the write, makes none of it, and answers what would be. */
  function tryOut(name: string, edit: Edit): Answer {
    state.requireWritable(name)
    const current = state.get(name)
    const spec = { ...edit(current), name: current?.spec.name ?? name }
    const { catalog, pools, now, elsewhere = [] } = options.capacityRules()
    const createdAt = current?.createdAt ?? now
    const others = elsewhere.map((other) => other.spec)
    const specs = [...listSpecs().filter((other) => other !== current?.spec), spec, ...others]
    const plan = planDeployment(spec, { catalog, now, createdAt, pool: shareOf(spec, pools, specs) })
    const source = { kind: 'stored' } as const
    const deployment = { source, etag: '', ...current, spec, createdAt, updatedAt: now }
    const filterPolicy = spec.raiPolicyName ?? options.defaultPolicy
    return { status: current ? 200 : 201, body: viewDeployment(deployment, { ...plan, filterPolicy }) }
  }

  async function write(request: Request, name: string, edit: Edit): Promise<Answer> {
    if (isDryRun(request)) return tryOut(name, edit)
    const { deployment, isNew } = await state.write(name, edit)
    return answer(isNew ? 201 : 200, deployment)
  }

  async function change(request: Request, name: string, makeDocument: MakeDocument): Promise<Answer> {
    return write(request, name, (current) => {
      checkPreconditions(request.headers, stateOf(current))
      return accept(makeDocument(current && asPatch(current)), name, current)
    })
  }

  /** Judges nothing but whether it can be paused: who wants a deployment to stop is not told what else is wrong with it. */
  function setState(deploymentState: 'Running' | 'Paused'): Handler {
    return async (request, name) => {
      const found = find(name)
      checkPreconditions(request.headers, stateOf(found))
      if ((found.spec.deploymentState ?? 'Running') === deploymentState) return answer(200, found)
      return write(request, name, (current) => {
        if (!current) return refuseUnknown(name)
        checkPreconditions(request.headers, stateOf(current))
        const next = { ...current.spec, deploymentState }
        const problems = judgePause(next)
        if (problems.length > 0) throw refuseDocument(problems)
        return next
      })
    }
  }

  return {
    pause: setState('Paused'),
    resume: setState('Running'),
    upgrade: async (_request, name) => {
      const { spec } = find(name)
      const { catalog, now } = options.capacityRules()
      return { status: 200, body: previewUpgrade(spec, catalog, now) }
    },
    list: async () => ({ status: 200, body: { value: state.list().map(view) } }),
    show: async (_request, name) => answer(200, find(name)),
    change,
    async put(request, name) {
      const document = await readJsonBody(request)
      return change(request, name, () => document)
    },
    async patch(request, name) {
      const patch = await readJsonBody(request)
      find(name)
      return change(request, name, (current) =>
        current ? mergePatch(forgetOldModel(current, patch), patch) : refuseUnknown(name),
      )
    },
    async remove(request, name) {
      if (isDryRun(request)) {
        state.requireWritable(name)
        const current = state.get(name)
        checkPreconditions(request.headers, stateOf(current))
        return current ? { status: 204 } : refuseUnknown(name)
      }
      const wasThere = await state.remove(name, (current) => checkPreconditions(request.headers, stateOf(current)))
      return wasThere ? { status: 204 } : refuseUnknown(name)
    },
    probe: async (_request, name) => ({
      status: 200,
      body: { value: await options.probeDeployment(find(name).spec.name) },
    }),
  }
}

/** The document of a deployment, as it is shown. */
function asPatch(current: DesiredDeployment): JsonObject {
  const { source, etag, createdAt, updatedAt, ...document } = viewDeployment(current)
  return document as unknown as JsonObject
}

function refuseUnknown(name: string): never {
  throw new Fault(
    'deployment-not-found',
    `There is no deployment ${JSON.stringify(name)}. GET /management/deployments lists those there are.`,
  )
}

function stateOf(current: DesiredDeployment | undefined): { etag: string; name: string } | undefined {
  return current && { etag: current.etag, name: current.spec.name }
}
