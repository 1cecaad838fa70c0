import { toFault } from '../../../core/fault.ts'
import type { Json, JsonObject } from '../../../core/json.ts'
import { randomHex } from '../../../core/text/id.ts'
import type { Job, JobContext, JobHandler, JobOutcome, Jobs } from '../../../port/jobs/port.ts'
import type { BatchRow } from '../../../port/tables/batches/port.ts'
import { decodeWebhookSecret, type WebhookSpec } from '../../../snapshot/file/webhook-section.ts'
import type { Logger } from '../../../telemetry/logger.ts'
import { backOff } from '../../batches/persist.ts'
import { type Message, type MessageFacts, signMessage, writeMessage } from './message.ts'
import { createSender, type OpenTransport, type Taken } from './sender.ts'

export type WebhooksParts = {
  readonly jobs: Pick<Jobs, 'add'>
  /** Those of the configuration as it is now. */
  readonly list: () => readonly WebhookSpec[]
  /** The value of a PONTO_SECRET_ variable. */
  readSecret(name: string): string | undefined
  readonly openTransport: OpenTransport
  /** There is something to do for the worker of this process. */
  readonly nudge: () => void
  /** Unix milliseconds. */
  readonly now: () => number
  readonly log: Logger
  /** From 0 to below 1; `Math.random` when absent. */
  readonly random?: (() => number) | undefined
}

/** What came of a message that was sent to try a receiver. */
export type Trial = {
  readonly messageId: string
  readonly isTaken: boolean
  /** What the receiver answered; undefined where it did not. */
  readonly status: number | undefined
  readonly said: string
  /** Why it was not taken. */
  readonly reason: string | undefined
  readonly ms: number
}

export type Webhooks = {
  /** Notes for every receiver that wants to know that the batch has ended. Rejects when that cannot be noted; it may be told again. */
  announceEnd(batch: BatchRow): Promise<void>
  /**
   * Sends a message about nothing, once, signed as all are. undefined where the configuration has no webhook of that name. Rejects only
   * when the signal is aborted.
   */
  test(name: string, signal: AbortSignal): Promise<Trial | undefined>
  /** For the worker, by kind. */
  readonly handlers: Readonly<Record<string, JobHandler>>
  close(): void
}

const jobKind = 'webhook'
/** Receivers that know only some events pass over others. */
const testEvent = 'webhook.test'
const leaseMs = 60_000
const firstWaitMs = 5_000
const lastWaitMs = 60 * 60_000
const giveUpAfterMs = 24 * 60 * 60_000
/** The receiver is gone and says so. */
const gone = 410

/** How a job of this kind is noted. */
type Delivery = MessageFacts & { readonly attempts: number }

/**
 * Tells the receivers of the configuration what has become of batches: a job for each receiver and batch, so that what is noted is sent, be it
 * after a restart, at least once. One that takes nothing is asked again for a day, less and less often.
 */
export function createWebhooks(parts: WebhooksParts): Webhooks {
  const { jobs, list, readSecret, nudge, now, log, random = Math.random } = parts
  const sender = createSender(parts.openTransport, 'Ponto')

  async function announceEnd({ id, owner, status }: BatchRow): Promise<void> {
    const event = `batch.${status}`
    const createdAt = now()
    for (const spec of list()) {
      if (!(spec.events as readonly string[]).includes(event) || !isAbout(spec, owner)) continue
      const state = writeDelivery({ webhook: spec.name, batchId: id, event, createdAt, attempts: 0 })
      await jobs.add({ kind: jobKind, id: `${spec.name.toLowerCase()}/${id}`, state, runAt: createdAt })
      nudge()
    }
  }

  async function run(job: Job, { signal }: JobContext): Promise<JobOutcome> {
    const delivery = readDelivery(job.state)
    const { webhook, batchId, event } = delivery
    const attempts = delivery.attempts + 1
    const about = { webhook, batch: batchId, event, attempts }
    const outcome = await attempt(delivery, signal)
    if (outcome === 'taken') {
      log.info(about, 'a webhook was delivered')
      return { kind: 'done' }
    }
    const waitMs = Math.max(backOff(delivery.attempts, firstWaitMs, lastWaitMs, random), outcome.retryAfterMs ?? 0)
    const at = now() + Math.min(waitMs, lastWaitMs)
    if (outcome.isFinal || at > delivery.createdAt + giveUpAfterMs) {
      log.error({ ...about, reason: outcome.reason }, 'a webhook could not be delivered and is given up')
      return { kind: 'done' }
    }
    log.warn({ ...about, reason: outcome.reason, retryInMs: at - now() }, 'a webhook was not taken and is sent again')
    return { kind: 'again', at, state: writeDelivery({ ...delivery, attempts }) }
  }

  const find = (wanted: string) => list().find(({ name }) => name.toLowerCase() === wanted.toLowerCase())

  async function attempt(delivery: Delivery, signal: AbortSignal): Promise<'taken' | Refusal> {
    const spec = find(delivery.webhook)
    // Another server may have read the configuration before this one.
    if (!spec) return { reason: 'the configuration has no webhook of this name' }
    const sent = await send(spec, writeMessage(delivery), signal)
    const { reason, retryAfterMs, isFinal = false } = sent
    return reason === undefined ? 'taken' : { reason, retryAfterMs, isFinal }
  }

  async function send(spec: WebhookSpec, message: Message, signal: AbortSignal): Promise<Sent> {
    const secret = decodeWebhookSecret(readSecret(spec.secret.env) ?? '')
    if (!secret) return { reason: `the variable ${spec.secret.env} holds no secret of a webhook` }
    try {
      const headers = signMessage(message, secret, now())
      const taken = await sender.post(spec.url, headers, message.body, signal)
      const { status } = taken
      if (status >= 200 && status < 300) return taken
      return { ...taken, reason: `the receiver answered with status ${status}`, isFinal: status === gone }
    } catch (error) {
      // The server stops: whoever takes the job next sends it.
      signal.throwIfAborted()
      return { reason: toFault(error).message }
    }
  }

  async function test(name: string, signal: AbortSignal): Promise<Trial | undefined> {
    const spec = find(name)
    if (!spec) return undefined
    const startedAt = now()
    const about = { webhook: spec.name, batchId: `test_${randomHex()}`, event: testEvent, createdAt: startedAt }
    const message = writeMessage(about)
    const { status, said = '', reason } = await send(spec, message, signal)
    const isTaken = reason === undefined
    log.info({ webhook: spec.name, event: testEvent, isTaken, reason }, 'a webhook was tried')
    return { messageId: message.id, isTaken, status, said, reason, ms: now() - startedAt }
  }

  return { announceEnd, test, handlers: { [jobKind]: { leaseMs, atOnce: 8, run } }, close: () => sender.close() }
}

type Refusal = {
  readonly reason: string
  readonly retryAfterMs?: number | undefined
  readonly isFinal?: boolean
}

/** Without a reason it was taken. */
type Sent = Partial<Taken> & Partial<Refusal>

/** The two keys of the resource are one owner, who has no name among owners. */
function isAbout({ owner }: WebhookSpec, batchOwner: string): boolean {
  if (owner === undefined) return true
  return /^key[12]$/i.test(owner) ? batchOwner === '' : owner.toLowerCase() === batchOwner.toLowerCase()
}

function writeDelivery(delivery: Delivery): JsonObject {
  return { ...delivery } as Readonly<Record<string, Json>> as JsonObject
}

function readDelivery(state: JsonObject): Delivery {
  return state as unknown as Delivery
}
