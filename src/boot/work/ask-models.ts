import { inferenceAction } from '../../core/access/data-actions.ts'
import type { Call } from '../../core/call.ts'
import type { Deployment } from '../../core/deployment.ts'
import type { Event } from '../../core/event.ts'
import { type Caller, type Exchange, openExchange } from '../../core/exchange.ts'
import { Fault, toFault } from '../../core/fault.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { Reply } from '../../core/reply.ts'
import { ownResource } from '../../core/resource.ts'
import type { AnswerResult } from '../../core/result.ts'
import { timeId } from '../../core/text/id.ts'
import { openRecord, type RecordListener, type RequestRecord } from '../../core/usage/request-record.ts'
import { authorizeDataAction } from '../../policy/access/authorize.ts'
import { outcomeOf, type Pipeline } from '../../policy/pipeline.ts'
import { closeRefusal, noteCaller } from '../../policy/request-log/close-record.ts'
import type { Ask, AskModels } from '../../service/tools/ask.ts'
import { rerankWire } from '../../wire/passed/rerank/server.ts'

export type AskModelsParts = {
  /** With all that judges and counts a call of a caller. */
  readonly pipeline: Pipeline
  /** The deployment of that name, without regard to case, of the resource of the owner. */
  find(name: string, owner: string): Deployment | undefined
  /** undefined when his key opens nothing any more. */
  findCaller(owner: string): Caller | undefined
  /** Told of calls that are refused before it is known which deployment they are for. */
  readonly onRefused: RecordListener
  /** Unix milliseconds. */
  now(): number
}

/** More than any answer to a question for scores has. */
const maxRerankBytes = 16 * 1024 * 1024

/** Calls that the server makes for owners of runs and vector stores: each is one of theirs, with its limits, filters, budget and record. */
export function createAskModels({ pipeline, find, findCaller, onRefused, now }: AskModelsParts): AskModels {
  async function begin(ask: Ask, call: Call): Promise<{ readonly exchange: Exchange; readonly reply: Reply }> {
    const startedAt = now()
    const record = openRecord(timeId(startedAt), startedAt, performance.now())
    let exchange: Exchange
    try {
      exchange = setOut(ask, call, record)
    } catch (error) {
      closeRefusal(record, toFault(error), performance.now())
      onRefused(record)
      throw error
    }
    try {
      return { exchange, reply: await pipeline.run(exchange) }
    } catch (error) {
      throw fail(exchange, error)
    }
  }

  function fail(exchange: Exchange, error: unknown): Fault {
    const fault = toFault(error)
    pipeline.end(exchange, outcomeOf(exchange, error), fault)
    return fault
  }

  function setOut({ owner, path, runId, signal }: Ask, call: Call, record: RequestRecord): Exchange {
    record.operation = call.kind
    record.surface = call.source?.wire ?? ''
    record.method = 'POST'
    record.path = path
    record.asked = call.deployment
    record.clientRequestId = runId
    record.requestBytes = call.source ? Buffer.byteLength(call.source.text) : 0
    const caller = findCaller(owner)
    if (!caller) throw new Fault('unauthorized', 'The key on whose behalf this is done opens nothing any more.')
    noteCaller(record, caller)
    const deployment = find(call.deployment, owner)
    if (!deployment) {
      throw new Fault('deployment-not-found', `There is no deployment ${JSON.stringify(call.deployment)} (any more).`, {
        param: 'model',
      })
    }
    if (!deployment.kinds.has(call.kind)) {
      throw new Fault(
        'operation-not-supported',
        `The deployment '${deployment.name}' cannot be used for this: it does not offer '${call.kind}'.`,
        { param: 'model' },
      )
    }
    const { resource = ownResource } = caller
    const scope = { kind: 'deployment', resource, deployment: deployment.name } as const
    authorizeDataAction(caller, inferenceAction(call.kind, deployment.model.format), scope, `POST ${path}`)
    const headers: Readonly<Record<string, string>> = { 'x-ms-client-request-id': runId }
    return openExchange({
      caller,
      call,
      deployment,
      isBatch: false,
      needsEvents: true,
      signal,
      header: (name) => headers[name] ?? null,
      answerHeaders: {},
      record,
    })
  }

  /** Tells of the end also of a stream that breaks off, or that nobody reads to its end. */
  async function* watch(exchange: Exchange, events: AsyncIterable<Event>): AsyncGenerator<Event, undefined> {
    let isOver = false
    try {
      for await (const event of events) {
        note(exchange, event)
        yield event
      }
      isOver = true
    } catch (error) {
      isOver = true
      throw fail(exchange, error)
    } finally {
      // Whoever stops reading ends the call, as a caller that goes does.
      if (!isOver) pipeline.end(exchange, 'aborted')
    }
    pipeline.end(exchange, 'done')
  }

  return {
    async chat(ask, call) {
      const { exchange, reply } = await begin(ask, call)
      const events = eventsOf(reply)
      if (!events) throw fail(exchange, refuseKind())
      return {
        events: watch(exchange, events),
        servedModel: exchange.deployment.servedModel,
        usage: () => exchange.tally.usage,
      }
    },

    async embed(ask, deployment, texts, dimensions) {
      const { exchange, reply } = await begin(ask, {
        kind: 'embed',
        deployment,
        stream: false,
        includeUsage: true,
        inputs: texts,
        dimensions,
        encoding: 'float',
      })
      try {
        if (reply.kind !== 'whole' || reply.result.kind !== 'embed' || reply.result.vectors.length !== texts.length) {
          throw new Fault('upstream-failed', `The deployment '${deployment}' did not give one vector a text.`)
        }
        exchange.tally.usage = reply.result.usage
        pipeline.end(exchange, 'done')
        return reply.result.vectors
      } catch (error) {
        throw fail(exchange, error)
      }
    },

    async rerank(ask, deployment, query, documents) {
      const body: JsonObject = { model: deployment, query, documents: [...documents], return_documents: false }
      const source = { wire: rerankWire, text: JSON.stringify(body), body }
      const call: Call = { kind: 'rerank', deployment, stream: false, includeUsage: false, source }
      const { exchange, reply } = await begin(ask, call)
      try {
        const scores = readScores(await readPassed(reply), documents.length)
        if (!scores)
          throw new Fault('upstream-failed', `The deployment '${deployment}' did not give a score a document.`)
        pipeline.end(exchange, 'done')
        return scores
      } catch (error) {
        throw fail(exchange, error)
      }
    },
  }
}

function note({ tally, record }: Exchange, event: Event): void {
  if (event.type === 'usage') tally.usage = event.usage
  else if (event.type.endsWith('-delta')) {
    tally.pieces++
    if (record.firstTokenMs < 0) record.firstTokenMs = performance.now() - record.startedMs
    if ('text' in event) record.responseBytes += event.text.length
  }
}

function refuseKind(): Fault {
  return new Fault('upstream-failed', 'The deployment gave an answer of another kind than was asked for.')
}

function eventsOf(reply: Reply): AsyncIterable<Event> | undefined {
  if (reply.kind === 'stream') return reply.events
  if (reply.kind === 'whole' && reply.result.kind !== 'embed') return replay(reply.result)
  return undefined
}

/** A whole answer in the words of a stream. */
async function* replay({ id, model, created, choices, usage, promptFilter }: AnswerResult): AsyncGenerator<Event> {
  yield { type: 'answer-start', id, model, created }
  if (promptFilter) yield { type: 'prompt-filter', results: promptFilter }
  for (const { index: choice, text, reasoning, refusal, toolCalls, finishReason, filter } of choices) {
    if (reasoning) yield { type: 'reasoning-delta', choice, text: reasoning }
    if (text) yield { type: 'text-delta', choice, text }
    if (refusal) yield { type: 'refusal-delta', choice, text: refusal }
    for (const [index, call] of (toolCalls ?? []).entries()) {
      yield { type: 'tool-call-start', choice, index, id: call.id, name: call.name }
      yield { type: 'tool-call-delta', choice, index, arguments: call.arguments }
    }
    yield { type: 'choice-end', choice, reason: finishReason ?? 'stop', filter }
  }
  if (usage) yield { type: 'usage', usage }
}

async function readPassed(reply: Reply): Promise<unknown> {
  if (reply.kind !== 'passed') throw refuseKind()
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of reply.body) {
    bytes += piece.length
    if (bytes > maxRerankBytes) throw new Fault('upstream-failed', 'The answer of the deployment is too long.')
    pieces.push(piece)
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString())
  } catch (error) {
    throw new Fault('upstream-failed', 'The answer of the deployment is no JSON.', { cause: error })
  }
}

/** Results come in the order of their scores, and name the document by its place. */
function readScores(body: unknown, count: number): number[] | undefined {
  if (!isJsonObject(body) || !Array.isArray(body.results)) return undefined
  const scores: number[] = new Array(count).fill(0)
  for (const result of body.results) {
    if (!isJsonObject(result)) return undefined
    const { index, relevance_score: score } = result
    if (typeof index !== 'number' || typeof score !== 'number' || scores[index] === undefined) return undefined
    scores[index] = score
  }
  return scores
}
