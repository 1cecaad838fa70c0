import { openaiAction } from '../../core/access/data-actions.ts'
import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ServiceAnswer, ServiceRequest, ServiceRoute } from '../../core/service-route.ts'
import { randomHex } from '../../core/text/id.ts'
import type { BatchRow } from '../../port/tables/batches/port.ts'
import { readPage, refuseParameter, writePage } from '../read-page.ts'
import { ownerOf } from '../stored-completions/owner.ts'
import { enqueuedLimit } from './enqueued-limit.ts'
import { canBeBatchId, createFindBatch } from './find-batch.ts'
import { peekModel } from './input/peek-model.ts'
import type { BatchWorld } from './parts.ts'
import { readBatchRequest } from './read-request.ts'
import { writeBatch } from './write-batch.ts'

type Surface = { readonly base: string; readonly apiVersion: ServiceRoute['apiVersion'] }

export const batchActions = {
  read: openaiAction('batch-jobs/read'),
  write: openaiAction('batch-jobs/write'),
  cancel: openaiAction('batch-jobs/cancel/action'),
} as const

export const batchSurfaces: readonly Surface[] = [
  { base: '/openai/batches', apiVersion: 'required' },
  // Some clients write the name of a deployment into every address. The lines say which one they are for.
  { base: '/openai/deployments/{deployment}/batches', apiVersion: 'required' },
  { base: '/openai/v1/batches', apiVersion: 'optional' },
]

export const jobKind = 'batch'
/** A batch whose maker died before it was there has a job all the same, which finds nothing then. */
const unannouncedMs = 30_000

/** Batches, as Azure OpenAI has them under `/openai` (2024-10-21 and later) and OpenAI under `/openai/v1`. */
export function createBatchRoutes(world: BatchWorld): ServiceRoute[] {
  const { table, jobs, files, now, settings, nudge, running } = world
  const find = createFindBatch(table)

  async function list({ caller, query }: ServiceRequest): Promise<JsonObject> {
    for (const name of ['$filter', '$orderby']) {
      const value = query.get(name)
      if (value) throw refuseParameter(name, value, 'nothing: lists of batches are neither filtered nor sorted here')
    }
    const owner = ownerOf(caller)
    const page = readPage(query, 'desc')
    if (page.after !== undefined) {
      const after = canBeBatchId(page.after) ? await table.get(page.after) : undefined
      if (after?.owner !== owner) throw refuseParameter('after', page.after, 'an id of this list')
    }
    const batches = await table.list(owner, page)
    return writePage(batches.slice(0, page.limit).map(writeBatch), batches.length > page.limit)
  }

  async function create(request: ServiceRequest): Promise<BatchRow> {
    const { inputFileId, ...asked } = readBatchRequest(request.body)
    const owner = ownerOf(request.caller)
    requireDeployment(request, owner)
    await requireInput(owner, inputFileId)
    const createdAt = now()
    const batch: BatchRow = {
      ...asked,
      id: `batch_${randomHex()}`,
      owner,
      inputFileId,
      status: 'validating',
      total: 0,
      completed: 0,
      failed: 0,
      tokens: { input: 0, cached: 0, output: 0, reasoning: 0 },
      enqueuedTokens: 0,
      createdAt,
      expiresAt: createdAt + settings.windowMs,
    }
    // The job first: a batch that nobody works on would never end.
    await jobs.add({ kind: jobKind, id: batch.id, state: {}, runAt: createdAt + unannouncedMs })
    await table.add(batch)
    await jobs.wake(jobKind, batch.id)
    nudge()
    return batch
  }

  /** The one of the path, where one is named there. */
  function requireDeployment({ params }: ServiceRequest, owner: string): void {
    const { deployment } = params
    if (deployment === undefined || world.findDeployment(deployment, owner)) return
    throw new Fault(
      'deployment-not-found',
      `The API deployment ${JSON.stringify(deployment.slice(0, 64))} for this resource does not exist, or not for this key.`,
      { model: deployment },
    )
  }

  async function requireInput(owner: string, id: string): Promise<void> {
    const file = await files.find(owner, id)
    const refuse = (why: string) =>
      new Fault('invalid-request', `Invalid value for 'input_file_id': ${why}.`, { param: 'input_file_id' })
    const shown = JSON.stringify(id.slice(0, 64))
    if (!file) throw refuse(`there is no file ${shown}. It may have expired, and a key finds its own files only`)
    if (file.purpose !== 'batch')
      throw refuse(`the file ${shown} is for ${file.purpose}. Upload it with purpose "batch"`)
    if (file.status !== 'processed' && file.status !== 'uploaded') {
      throw refuse(`the file ${shown} cannot be read, its status is ${file.status}`)
    }
    if (file.bytes > settings.maxInputBytes) {
      throw refuse(`the file ${shown} has ${file.bytes} bytes, and a batch may have ${settings.maxInputBytes}`)
    }
  }

  /** How much of the deployment's quota is taken before this batch, as far as that is known so early. */
  async function writeQuotaHeaders(owner: string, inputFileId: string): Promise<Readonly<Record<string, string>>> {
    try {
      const file = await files.find(owner, inputFileId)
      const model = file && (await peekModel(files, file.id, file.bytes))
      const deployment = model === undefined ? undefined : world.findDeployment(model, owner)
      if (!deployment) return {}
      return {
        'deployment-enqueued-tokens': String(await table.sumEnqueued(deployment)),
        'deployment-maximum-enqueued-tokens': String(enqueuedLimit(world, deployment)),
      }
    } catch {
      // The batch is made, whatever can be told of its quota.
      return {}
    }
  }

  async function cancel(request: ServiceRequest): Promise<BatchRow> {
    const { id } = await find(request)
    const from = ['validating', 'in_progress'] as const
    const isNew = await table.update(id, from, { status: 'cancelling', cancellingAt: now() })
    const batch = await find(request)
    if (!isNew && batch.status !== 'cancelling' && batch.status !== 'cancelled') {
      throw new Fault(
        'conflict',
        `The batch ${id} cannot be cancelled: its status is ${batch.status}. Only batches that are validating or in_progress can be.`,
      )
    }
    running.get(id)?.look()
    await jobs.wake(jobKind, id)
    nudge()
    return batch
  }

  return batchSurfaces.flatMap(({ base, apiVersion }): ServiceRoute[] => {
    const one = `${base}/{batch_id}`
    const isDated = apiVersion === 'required'
    const createOne = async (request: ServiceRequest): Promise<ServiceAnswer> => {
      const batch = await create(request)
      const body = writeBatch(batch)
      if (!isDated) return { status: 200, body }
      return { status: 201, body, headers: await writeQuotaHeaders(batch.owner, batch.inputFileId) }
    }
    const found = async (answer: Promise<BatchRow>): Promise<ServiceAnswer> => ({
      status: 200,
      body: writeBatch(await answer),
    })
    return [
      {
        method: 'GET',
        path: base,
        action: batchActions.read,
        apiVersion,
        answer: async (request) => ({ status: 200, body: await list(request) }),
      },
      { method: 'POST', path: base, action: batchActions.write, apiVersion, answer: createOne },
      {
        method: 'GET',
        path: one,
        action: batchActions.read,
        apiVersion,
        answer: (request) => found(find(request)),
      },
      {
        method: 'POST',
        path: `${one}/cancel`,
        action: batchActions.cancel,
        apiVersion,
        answer: (request) => found(cancel(request)),
      },
    ]
  })
}
