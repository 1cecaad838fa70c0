import type { CatalogModel } from '../../../snapshot/catalog/catalog.ts'
import { genericSkus } from '../../../snapshot/catalog/create-catalog.ts'
import type { DeploymentView } from '../../api.ts'
import { forgetOldModel } from '../../deployments/accept-deployment.ts'
import type { Answer } from '../../http/answer.ts'
import { isDryRun } from '../../http/dry-run.ts'
import { mergePatch } from '../../http/merge-patch.ts'
import { checkPreconditions } from '../../http/preconditions.ts'
import { readJsonBody } from '../../http/read-body.ts'
import type { Account } from '../../resources/accounts.ts'
import { type FindOptions, findAccount, handlersOf } from '../accounts/find-account.ts'
import { viewCapacity } from '../catalog/view-model.ts'
import { type ArmRoute, type ArmVisit, ofAccount, paramOf, provider, route } from '../http/arm-route.ts'
import { refuseMissing, tellInArmWords } from '../http/errors.ts'
import { pageOf } from '../http/page.ts'
import { evaluatePolicies } from './evaluate.ts'
import { viewArmDeployment } from './to-arm.ts'
import { nameInArm, patchDocument, putDocument } from './to-document.ts'

const path = `${ofAccount}/deployments`
const one = `${path}/{deployment}`
const actions = 'accounts/deployments'

/** Deployments of an account: what the deployments of our own API are, in the vendor's words. */
export function listDeploymentRoutes(options: FindOptions): readonly ArmRoute[] {
  const find = (visit: ArmVisit) => findAccount(options, visit)
  return [
    route('GET', path, `${actions}/read`, async (_, visit) => {
      const account = await find(visit)
      const { body } = await handlersOf(account).deployments.list(new Request(visit.url), '')
      const { value } = body as { value: readonly DeploymentView[] }
      return pageOf(
        visit,
        value,
        ({ name }) => name,
        (view) => viewOf(account, view, visit),
      )
    }),
    route('GET', one, `${actions}/read`, async (_, visit) => {
      const account = await find(visit)
      return answerWith(account, 200, await show(account, visit), visit)
    }),
    route('PUT', one, `${actions}/write`, (request, visit) => put(find, request, visit), { isLong: true }),
    route('PATCH', one, `${actions}/write`, (request, visit) => patch(find, request, visit)),
    route('DELETE', one, `${actions}/delete`, (request, visit) => remove(find, request, visit), { isLong: true }),
    route('POST', `${one}/pause`, `${actions}/pause/action`, async (request, visit) => {
      const account = await find(visit)
      await show(account, visit)
      const handle = handlersOf(account).deployments.pause
      return ofHandler(account, visit, () => handle(request, paramOf(visit, 'deployment')))
    }),
    route('POST', `${one}/resume`, `${actions}/resume/action`, async (request, visit) => {
      const account = await find(visit)
      await show(account, visit)
      const handle = handlersOf(account).deployments.resume
      return ofHandler(account, visit, () => handle(request, paramOf(visit, 'deployment')))
    }),
    route('GET', `${one}/skus`, `${actions}/skus/read`, async (_, visit) => {
      const account = await find(visit)
      const { model } = await show(account, visit)
      const offered = entryOf(account, model)?.skus ?? genericSkus
      const value = offered.map((sku) => ({
        resourceType: `${provider}/accounts/deployments`,
        sku: { name: sku.name },
        capacity: viewCapacity(sku.capacity),
      }))
      return { status: 200, body: { value } }
    }),
    route(
      'POST',
      `${ofAccount}/evaluateDeploymentPolicies`,
      'accounts/evaluateDeploymentPolicies/action',
      async (request, visit) => evaluatePolicies(await find(visit), request),
    ),
  ]
}

type Find = (visit: ArmVisit) => Promise<Account>

async function put(find: Find, request: Request, visit: ArmVisit): Promise<Answer> {
  const body = await readJsonBody(request)
  const account = await find(visit)
  const { apiVersion } = visit
  const { defaultPolicy } = account.routes
  return ofHandler(account, visit, () =>
    handlersOf(account).deployments.change(request, paramOf(visit, 'deployment'), (current) =>
      putDocument(body, current, { apiVersion, defaultPolicy }),
    ),
  )
}

async function patch(find: Find, request: Request, visit: ArmVisit): Promise<Answer> {
  const body = await readJsonBody(request)
  const account = await find(visit)
  await show(account, visit)
  return ofHandler(account, visit, () =>
    handlersOf(account).deployments.change(request, paramOf(visit, 'deployment'), (current) => {
      if (!current) return refuseDeployment(visit)
      const change = patchDocument(body, current)
      return mergePatch(forgetOldModel(current, change), change)
    }),
  )
}

/** One that is not there is deleted already. */
async function remove(find: Find, request: Request, visit: ArmVisit): Promise<Answer> {
  const account = await find(visit)
  const name = paramOf(visit, 'deployment')
  if (!account.routes.state.get(name)) {
    checkPreconditions(request.headers, undefined)
    return { status: 204 }
  }
  const { status } = await handlersOf(account).deployments.remove(request, name)
  return { status: isDryRun(request) ? status : 202 }
}

async function show(account: Account, visit: ArmVisit): Promise<DeploymentView> {
  const name = paramOf(visit, 'deployment')
  if (!account.routes.state.get(name)) return refuseDeployment(visit)
  const { body } = await handlersOf(account).deployments.show(new Request(visit.url), name)
  return body as DeploymentView
}

function refuseDeployment(visit: ArmVisit): never {
  const { account, deployment, group } = visit.params
  return refuseMissing('accounts/deployments', `${account}/${deployment}`, group)
}

/** The answer of our own API, and its refusals, in the vendor's words. */
async function ofHandler(account: Account, visit: ArmVisit, handle: () => Promise<Answer>): Promise<Answer> {
  const { status, body } = await tellInArmWords(nameInArm, handle)
  return answerWith(account, status, body as DeploymentView, visit)
}

function answerWith(account: Account, status: number, view: DeploymentView, visit: ArmVisit): Answer {
  return { status, body: viewOf(account, view, visit), headers: { etag: `"${view.etag}"` } }
}

function viewOf(account: Account, view: DeploymentView, { apiVersion }: ArmVisit): object {
  return viewArmDeployment(account.spec, view, entryOf(account, view.model), apiVersion)
}

/** A version that no entry knows is described as the default one is. */
function entryOf({ routes }: Account, model: DeploymentView['model']): CatalogModel | undefined {
  const { catalog } = routes.capacityRules()
  return catalog.find(model.name, model.version, model.format) ?? catalog.versionsOf(model.name, model.format)[0]
}
