import { z } from 'zod'
import { Fault } from '../../../core/fault.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { ServiceAnswer, ServiceEvent, ServiceRequest, ServiceRoute } from '../../../core/service-route.ts'
import type { RunRow, RunStatus } from '../../../port/tables/runs/port.ts'
import { metadataSchema } from '../../../wire/openai-chat/extras.ts'
import { readBody } from '../../../wire/read-body.ts'
import { stateOf } from '../../runs/state.ts'
import { ownerOf } from '../../stored-completions/owner.ts'
import { assistantSurfaces, threadActions } from '../surfaces.ts'
import { writeRun } from '../write-run.ts'
import { createRunMaker, notFound, type StartedRun } from './create-run.ts'
import { assistantsFace } from './face.ts'
import type { RunRoutesParts } from './parts.ts'
import { readOutputs } from './read-run-request.ts'

const changeSchema = z.strictObject({ metadata: metadataSchema.nullish() })

const anyStatus: readonly RunStatus[] = [
  'queued',
  'in_progress',
  'requires_action',
  'cancelling',
  'cancelled',
  'failed',
  'completed',
  'incomplete',
  'expired',
]

/**
 * What makes and changes runs of assistants: create, create with a thread, submit tool outputs, cancel, modify, and the events of a run
 * (`GET .../runs/{id}/events`, an extension of ours), which go on after `Last-Event-ID`.
 */
export function openRunRoutes(parts: RunRoutesParts): { readonly routes: readonly ServiceRoute[] } {
  const { table, engine } = parts
  const maker = createRunMaker(parts)

  async function find({ params, caller }: ServiceRequest): Promise<RunRow> {
    const { thread_id: threadId = '', run_id: id = '' } = params
    const run = await table.getRun(ownerOf(caller), id)
    if (run?.kind !== 'run' || run.threadId !== threadId) throw notFound('run', id)
    return run
  }

  /** The events of a run after one of them, until it rests. */
  async function* stream(runId: string, after: number, signal: AbortSignal): AsyncGenerator<ServiceEvent, undefined> {
    for await (const { seq, name, data } of engine.follow(runId, after, signal)) {
      yield { name, id: String(seq), data }
    }
    const { terminator } = assistantsFace
    if (!signal.aborted && terminator) yield terminator
  }

  const answerStarted = ({ run, stream: streams }: StartedRun, signal: AbortSignal): ServiceAnswer =>
    streams ? { status: 200, events: stream(run.id, -1, signal) } : { status: 200, body: writeRun(run) }

  async function submit(request: ServiceRequest): Promise<ServiceAnswer> {
    const { outputs, stream: streams } = readOutputs(request.body)
    const waiting = await find(request)
    // What is told from here on.
    const after = stateOf(waiting).engine.next - 1
    const run = await engine.submit(ownerOf(request.caller), waiting.id, outputs)
    return streams
      ? { status: 200, events: stream(run.id, after, request.signal) }
      : { status: 200, body: writeRun(run) }
  }

  async function cancel(request: ServiceRequest): Promise<JsonObject> {
    const { id } = await find(request)
    const run = await engine.cancel(ownerOf(request.caller), id)
    if (!run) throw notFound('run', id)
    return writeRun(run)
  }

  async function modify(request: ServiceRequest): Promise<JsonObject> {
    const { metadata } = readBody(changeSchema, request.body)
    const run = await find(request)
    if (metadata === undefined || metadata === null) return writeRun(run)
    const changed = metadata as JsonObject
    await table.updateRun(run.owner, run.id, anyStatus, { metadata: changed })
    return writeRun(await find(request))
  }

  async function events(request: ServiceRequest): Promise<ServiceAnswer> {
    const { id } = await find(request)
    return { status: 200, events: stream(id, readLastEvent(request), request.signal) }
  }

  return {
    routes: assistantSurfaces.flatMap(({ base, apiVersion }): ServiceRoute[] => {
      const runs = `${base}/threads/{thread_id}/runs`
      const one = `${runs}/{run_id}`
      const common = { apiVersion, action: threadActions.writeRun } as const
      const whole = async (body: Promise<JsonObject>): Promise<ServiceAnswer> => ({ status: 200, body: await body })
      return [
        {
          ...common,
          method: 'POST',
          path: `${base}/threads/runs`,
          answer: async (request) => answerStarted(await maker.createWithThread(request), request.signal),
        },
        {
          ...common,
          method: 'POST',
          path: runs,
          answer: async (request) => answerStarted(await maker.create(request), request.signal),
        },
        { ...common, method: 'POST', path: one, answer: (request) => whole(modify(request)) },
        { ...common, method: 'POST', path: `${one}/cancel`, answer: (request) => whole(cancel(request)) },
        { ...common, method: 'POST', path: `${one}/submit_tool_outputs`, answer: submit },
        { apiVersion, action: threadActions.readRun, method: 'GET', path: `${one}/events`, answer: events },
      ]
    }),
  }
}

function readLastEvent({ header, query }: ServiceRequest): number {
  const text = header('last-event-id') ?? query.get('starting_after')
  if (text === null || text === '') return -1
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new Fault(
    'invalid-request',
    `Invalid value for 'Last-Event-ID': got ${JSON.stringify(text.slice(0, 64))}, expected the id of an event of this run, a whole number.`,
    { param: 'Last-Event-ID' },
  )
}
