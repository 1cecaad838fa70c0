import { type Call, isPassCall } from '../../core/call.ts'
import type { Deployment } from '../../core/deployment.ts'
import { type Exchange, releaseHolds } from '../../core/exchange.ts'
import type { NativeBatches, Reply } from '../../core/reply.ts'
import { withoutTier } from '../../policy/limit/service-tier.ts'
import { createPipeline, type Pipeline, type Policy } from '../../policy/pipeline.ts'
import type { NativeLines } from '../../service/batches/parts.ts'
import { createRunLine, type RunLineParts } from './run-line.ts'

export type NativeLinesParts = Omit<RunLineParts, 'pipeline'> & {
  /** All that a call meets before a backend. */
  readonly before: readonly Policy[]
  /** What reads its answer. */
  readonly after: readonly Policy[]
  readonly listeners: Parameters<typeof createPipeline>[2]
}

/**
 * A line that goes upstream in a batch is a call in two halves: it meets limits and filters before it is sent, with a stand-in where the
 * model would be, and hours later filters and whoever counts, with the upstream's answer in the model's place.
 */
export function createNativeLines(parts: NativeLinesParts): NativeLines {
  const { before, after, listeners, find, findCaller } = parts

  return {
    find(name, owner, kind, home) {
      const isThere = ({ kinds, home: its }: NativeBatches) => kinds.has(kind) && (home === undefined || its === home)
      // What was ordered is followed, whoever could order it now.
      const mayOrder = home !== undefined || !hasBudget(owner)
      return mayOrder ? listBatches(find(name, owner)).find(isThere) : undefined
    },

    async prepare(run, batches, name) {
      let text: string | undefined
      const stand = async ({ call }: Exchange): Promise<Reply> => {
        text = await batches.writeLine(name, call)
        return { kind: 'whole', result: emptyResult(call) }
      }
      const whole = createPipeline(before, stand, listeners)
      // Only a line that is refused has ended. The others cost their estimate of the limits: nobody knows more yet.
      const pipeline: Pipeline = {
        run: whole.run,
        end: (exchange, outcome, fault) =>
          outcome === 'done' ? releaseHolds(exchange, outcome) : whole.end(exchange, outcome, fault),
      }
      const answer = await createRunLine({ ...parts, pipeline })(run)
      return answer.status === 200 && text !== undefined ? { text } : answer
    },

    answer(run, batches, said) {
      const read = async (exchange: Exchange): Promise<Reply> => {
        const { call, tally, needsEvents, record } = exchange
        record.attempts.push({
          backend: batches.home,
          spanId: '',
          startedMs: 0,
          ms: 0,
          status: said.status ?? 0,
          code: '',
        })
        return batches.readAnswer(call, said, tally, needsEvents)
      }
      const pipeline = createPipeline([dropTier, ...after], read, listeners)
      return createRunLine({ ...parts, pipeline })(run)
    },
  }

  /** A budget is held against answers that come at once; one that comes hours later could go over it. Those lines are run one by one. */
  function hasBudget(owner: string): boolean {
    return (findCaller(owner)?.grant?.budgets.length ?? 0) > 0
  }
}

function listBatches(deployment: Deployment | undefined): NativeBatches[] {
  return (deployment?.routes ?? []).flatMap(({ backend }) => backend.batches ?? [])
}

/** As the limiter does where a call meets it. */
const dropTier: Policy = (exchange, next) => {
  exchange.servedTier = 'flex'
  if (exchange.deployment.sku) exchange.call = withoutTier(exchange.call)
  return next(exchange)
}

function emptyResult(call: Call): Extract<Reply, { kind: 'whole' }>['result'] {
  if (call.kind === 'embed') return { kind: 'embed', vectors: [] }
  if (isPassCall(call)) throw new TypeError(`a ${call.kind} call is no line of a batch`)
  return { kind: call.kind, choices: [] }
}
