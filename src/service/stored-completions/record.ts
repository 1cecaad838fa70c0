import type { Call, ChatCall, Source } from '../../core/call.ts'
import type { Exchange } from '../../core/exchange.ts'
import { Fault } from '../../core/fault.ts'
import { isJsonObject, type JsonObject, pickUnknown } from '../../core/json.ts'
import { dropFields } from '../../core/text/drop-fields.ts'
import { randomId } from '../../core/text/id.ts'
import type { Policy } from '../../policy/pipeline.ts'
import type { NewStoredCompletion } from '../../port/tables/stored-completions/port.ts'
import { wireName } from '../../wire/openai-chat/server.ts'
import { canBeId } from './can-be-id.ts'
import { foldAnswer } from './fold.ts'
import { writeItem } from './item.ts'
import { ownerOf } from './owner.ts'
import { tapReply } from './tap.ts'
import type { WriteQueue } from './write-queue.ts'

/** What is ours in a request that asks for its answer to be stored. */
const ourFields = ['store', 'metadata'] as const
const ourFieldSet: ReadonlySet<string> = new Set(ourFields)

/**
 * Stores the answers to chats with `"store": true`. It comes before every policy that may change an answer, so that what is stored is
 * what the caller got. `store` and `metadata` go no further: an upstream would keep the prompt in a second place.
 */
export function createRecordPolicy(queue: WriteQueue, now: () => number): Policy {
  let lastAt = 0
  /** When an answer has ended, not when it is written; no two at the same time, since lists go by it. */
  const stamp = (): number => {
    lastAt = Math.max(now(), lastAt + 1)
    return lastAt
  }
  return async (exchange, next) => {
    const { call } = exchange
    if (!asksToStore(call)) return next(exchange)
    exchange.call = withoutStoring(call)
    const holding = queue.hold(exchange.id)
    // However the call ends, nothing is held any longer of what was not kept by then.
    exchange.holds.push({ release: () => holding.drop() })
    const reply = await next(exchange)
    if (!holding.take(call.source.text.length)) return reply
    const head = {
      requestId: exchange.id,
      servedModel: exchange.deployment.servedModel,
      created: Math.floor(now() / 1000),
    }
    return tapReply(reply, head, holding, (answer) => {
      const at = stamp()
      holding.keep(async () => {
        const document = await foldAnswer(answer, call, head, exchange.tally.usage)
        return makeRow(document, call.source, exchange, at)
      })
    })
  }
}

type StoredCall = ChatCall & { readonly source: Source }

export function asksToStore(call: Call): call is StoredCall {
  return call.kind === 'chat' && call.source?.wire === wireName && call.source.body.store === true
}

/** The call as it goes on. */
export function withoutStoring(call: StoredCall): ChatCall {
  const { rest, source } = call
  const fields = rest && pickUnknown(rest.fields, ourFieldSet)
  return {
    ...call,
    rest: fields && { wire: wireName, fields },
    source: {
      ...source,
      text: dropFields(source.text, ourFields),
      body: pickUnknown(source.body, ourFieldSet) ?? {},
    },
  }
}

function makeRow(answer: JsonObject, source: Source, exchange: Exchange, createdAt: number): NewStoredCompletion {
  const { body } = source
  // What an upstream left out the caller could not read either: such an answer is found in the list.
  const id = answer.id || `chatcmpl-${randomId(29)}`
  if (typeof id !== 'string' || !canBeId(id)) {
    throw new Fault('upstream-failed', "The backend's answer has an id that cannot be looked up.")
  }
  const models = [answer.model, exchange.deployment.name].filter((model) => typeof model === 'string')
  return {
    owner: ownerOf(exchange.caller),
    id,
    completion: writeItem(id, answer, body, exchange.id),
    metadata: isJsonObject(body.metadata) ? (body.metadata as Record<string, string>) : {},
    createdAt,
    messages: body.messages as JsonObject[],
    models,
  }
}
