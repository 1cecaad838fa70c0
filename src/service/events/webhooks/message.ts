import { createHash, createHmac } from 'node:crypto'

/** What a receiver is told: that something has happened to a batch. What has become of it, he asks for with his key. */
export type Message = {
  /** The same whenever this is sent: by it a receiver knows what he has had before. */
  readonly id: string
  readonly body: string
}

export type MessageFacts = {
  /** The name of the webhook. */
  readonly webhook: string
  readonly batchId: string
  /** `batch.completed` */
  readonly event: string
  /** Unix milliseconds. */
  readonly createdAt: number
}

/** As OpenAI writes an event. */
export function writeMessage({ webhook, batchId, event, createdAt }: MessageFacts): Message {
  // Made of what it is about: a server that dies before it has noted the message makes the same one again.
  const id = `evt_${createHash('sha256').update(`${webhook}\n${batchId}\n${event}`).digest('hex').slice(0, 32)}`
  const body = { id, object: 'event', type: event, created_at: Math.floor(createdAt / 1000), data: { id: batchId } }
  return { id, body: JSON.stringify(body) }
}

/** The headers of Standard Webhooks 1.0: who has the secret can tell that we sent this, and when. `now` is unix milliseconds. */
export function signMessage({ id, body }: Message, secret: Buffer, now: number): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000))
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
}
