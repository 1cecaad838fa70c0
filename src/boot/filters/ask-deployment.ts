import type { ChatCall } from '../../core/call.ts'
import type { Deployment } from '../../core/deployment.ts'
import type { Event } from '../../core/event.ts'
import { type Exchange, openExchange } from '../../core/exchange.ts'
import { Fault, toFault } from '../../core/fault.ts'
import type { Reply } from '../../core/reply.ts'
import type { ResourceId } from '../../core/resource.ts'
import { type AnswerResult, collectResult } from '../../core/result.ts'
import { timeId } from '../../core/text/id.ts'
import { openRecord } from '../../core/usage/request-record.ts'
import type { Tally } from '../../core/usage/tally.ts'
import { outcomeOf, type Pipeline } from '../../policy/pipeline.ts'
import type { FilterDeps } from './open-filters.ts'

/** Who asks guard models: usage is counted under this name. */
const filterName = 'filter'

export type AskParts = {
  /** The deployment of that name, without regard to case, of a resource. */
  find(name: string, resource: ResourceId): Deployment | undefined
  /** Must hold no content filter: a guard model is not judged by itself. */
  readonly pipeline: Pipeline
  /** Unix milliseconds. */
  now(): number
}

/** Asks a deployment as a caller would, through its limits and its backends, and gives the whole answer. Rejects with a Fault. */
export function createAskDeployment({ find, pipeline, now }: AskParts): FilterDeps['askDeployment'] {
  return async (resource, name, call, signal) => {
    const deployment = find(name, resource)
    if (!deployment)
      throw new Fault('deployment-not-found', `There is no deployment "${name}", which a filter engine asks.`)
    if (!deployment.kinds.has(call.kind)) {
      throw new Fault('operation-not-supported', `The deployment "${name}", which a filter engine asks, does not chat.`)
    }
    const exchange = makeExchange(deployment, call, signal, now())
    try {
      const result = await readReply(await pipeline.run(exchange), exchange.tally)
      pipeline.end(exchange, 'done')
      return result
    } catch (error) {
      pipeline.end(exchange, outcomeOf(exchange, error), toFault(error))
      throw error
    }
  }
}

function makeExchange(deployment: Deployment, call: ChatCall, signal: AbortSignal, startedAt: number): Exchange {
  return openExchange({
    caller: { keyName: filterName, resource: deployment.resource, grant: undefined, expiresAt: undefined },
    call,
    deployment,
    isBatch: false,
    needsEvents: true,
    signal,
    header: () => null,
    answerHeaders: {},
    record: openRecord(timeId(startedAt), startedAt, performance.now()),
  })
}

async function readReply(reply: Reply, tally: Tally): Promise<AnswerResult> {
  if (reply.kind === 'stream') return collectResult('chat', count(reply.events, tally))
  if (reply.kind !== 'whole' || reply.result.kind === 'embed') {
    throw new Fault('upstream-failed', 'The deployment that a filter engine asks gave an answer of another kind.')
  }
  tally.usage = reply.result.usage
  return reply.result
}

/** What a stream that breaks off has brought so far counts too. */
async function* count(events: AsyncIterable<Event>, tally: Tally): AsyncIterable<Event> {
  for await (const event of events) {
    if (event.type === 'usage') tally.usage = event.usage
    else tally.pieces++
    yield event
  }
}
