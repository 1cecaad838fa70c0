import { inferenceAction } from '../../core/access/data-actions.ts'
import type { Deployment } from '../../core/deployment.ts'
import { type Caller, type Exchange, openExchange } from '../../core/exchange.ts'
import { Fault, toFault } from '../../core/fault.ts'
import { type FaultCode, faultCodes } from '../../core/fault-codes.ts'
import { ownResource } from '../../core/resource.ts'
import { collectResult } from '../../core/result.ts'
import { timeId } from '../../core/text/id.ts'
import { openRecord, type RecordListener, type RequestRecord } from '../../core/usage/request-record.ts'
import { authorizeDataAction } from '../../policy/access/authorize.ts'
import { outcomeOf, type Pipeline } from '../../policy/pipeline.ts'
import { closeRefusal, noteCaller } from '../../policy/request-log/close-record.ts'
import type { LineAnswer, LineRun, RunLine } from '../../service/batches/parts.ts'
import type { ServerEnd } from '../../wire/wire.ts'

export type RunLineParts = {
  /** With all that judges and counts a call of a caller. */
  readonly pipeline: Pipeline
  /** The deployment of that name, without regard to case, of the resource of whoever owns the batch. */
  find(name: string, owner: string): Deployment | undefined
  /** Who owns the batch; undefined when the key opens nothing any more. */
  findCaller(owner: string): Caller | undefined
  /** Told of lines that are refused before it is known which deployment they are for. */
  readonly onRefused?: RecordListener | undefined
  /** Unix milliseconds. */
  now(): number
}

/** Answers lines of batches as the data plane would answer the same request of their owner, after everybody else. */
export function createRunLine({ pipeline, find, findCaller, onRefused, now }: RunLineParts): RunLine {
  return async (run) => {
    const { end } = run
    const startedAt = now()
    const id = timeId(startedAt)
    const record = openRecord(id, startedAt, performance.now())
    try {
      const exchange = setOut(end, run, record)
      try {
        const body = await answer(end, exchange)
        const { usage } = exchange.tally
        exchange.record.responseBytes = body.length
        pipeline.end(exchange, 'done')
        return { status: 200, requestId: id, body, usage }
      } catch (error) {
        pipeline.end(exchange, outcomeOf(exchange, error), toFault(error))
        throw error
      }
    } catch (error) {
      const fault = toFault(error)
      if (record.outcome === 'open') {
        closeRefusal(record, fault, performance.now())
        onRefused?.(record)
      }
      return describeFault(end, fault, id)
    }
  }

  function setOut(end: ServerEnd, run: LineRun, record: RequestRecord): Exchange {
    record.surface = end.wire
    record.operation = end.kind
    record.method = 'POST'
    record.path = run.endpoint
    record.asked = run.deployment
    record.clientRequestId = run.runId
    record.isBatch = true
    const caller = findCaller(run.owner)
    if (!caller) throw new Fault('unauthorized', 'The key that made the batch opens nothing any more.')
    noteCaller(record, caller)
    if (run.body.stream === true) {
      throw new Fault(
        'invalid-request',
        "Invalid value for 'stream': a line of a batch is answered whole, leave it out.",
        {
          param: 'stream',
        },
      )
    }
    const headers: Readonly<Record<string, string>> = { 'x-ms-client-request-id': run.runId }
    const header = (name: string): string | null => headers[name] ?? null
    const text = JSON.stringify(run.body)
    record.requestBytes = text.length
    const call = end.readCall({ text, body: run.body, pathDeployment: run.deployment, header })
    const deployment = find(run.deployment, run.owner)
    if (!deployment)
      throw new Fault('deployment-not-found', `The deployment '${run.deployment}' does not exist any more.`)
    if (!deployment.kinds.has(call.kind)) {
      throw new Fault('operation-not-supported', `The deployment '${deployment.name}' does not offer ${run.endpoint}.`)
    }
    const { resource = ownResource } = caller
    const scope = { kind: 'deployment', resource, deployment: deployment.name } as const
    authorizeDataAction(caller, inferenceAction(call.kind, deployment.model.format), scope, `POST ${run.endpoint}`)
    return openExchange({
      caller,
      call,
      deployment,
      isBatch: true,
      needsEvents: false,
      signal: run.signal,
      header,
      answerHeaders: {},
      record,
    })
  }

  /** The body of the answer. */
  async function answer(end: ServerEnd, exchange: Exchange): Promise<string> {
    const reply = await pipeline.run(exchange)
    if (reply.kind === 'bytes' && reply.body instanceof Uint8Array) return new TextDecoder().decode(reply.body)
    if (reply.kind !== 'whole' && reply.kind !== 'stream') {
      throw new Fault(
        'upstream-failed',
        'The backend of this deployment answered with a stream that was not asked for.',
      )
    }
    const result =
      reply.kind === 'whole'
        ? reply.result
        : await collectResult(exchange.call.kind === 'chat' ? 'chat' : 'completion', reply.events)
    exchange.tally.usage = result.usage
    const head = {
      requestId: exchange.id,
      servedModel: exchange.deployment.servedModel,
      created: Math.floor(now() / 1000),
    }
    return end.writeResult(result, exchange.call, head)
  }
}

/** A caller is told not to try again; work that has a day waits for the operator, or for the next day. */
const waitedFor: ReadonlySet<FaultCode> = new Set<FaultCode>(['deployment-paused', 'budget-exhausted'])

function describeFault(end: ServerEnd, fault: Fault, id: string): LineAnswer {
  const { status, body } = end.writeFault(fault, id)
  return {
    status,
    requestId: id,
    body,
    isRepeatable: waitedFor.has(fault.code) || faultCodes[fault.code].repeatable,
    retryAfterMs: fault.detail.retryAfterMs,
  }
}
