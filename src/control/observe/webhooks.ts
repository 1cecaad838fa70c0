import { Fault } from '../../core/fault.ts'
import { decodeWebhookSecret, type WebhookSpec } from '../../snapshot/file/webhook-section.ts'
import type { WebhookTrial, WebhookView } from '../api.ts'
import type { Answer } from '../http/answer.ts'

export type WebhooksOptions = {
  readonly webhooks: {
    /** Those of the configuration as it is now. */
    list(): readonly WebhookSpec[]
    /** The value of a PONTO_SECRET_ variable. */
    readSecret(name: string): string | undefined
    /** Sends a message that is about nothing; undefined where there is no webhook of that name. */
    test(name: string, signal: AbortSignal): Promise<WebhookTrial | undefined>
  }
}

/** Who is told of what. Neither secrets nor more of an address than who it is: both may hold what is for nobody else. */
export function listWebhooks({ webhooks }: WebhooksOptions): Answer {
  const value = webhooks.list().map(({ name, url, secret, events, owner }): WebhookView => {
    const hasSecret = decodeWebhookSecret(webhooks.readSecret(secret.env) ?? '') !== undefined
    return {
      name,
      origin: new URL(url).origin,
      secret: { env: secret.env },
      hasSecret,
      events,
      ...(owner !== undefined && { owner }),
    }
  })
  return { status: 200, body: { value } }
}

export async function testWebhook({ webhooks }: WebhooksOptions, request: Request, name: string): Promise<Answer> {
  const trial = await webhooks.test(name, request.signal)
  if (trial) return { status: 200, body: trial }
  const known = webhooks.list().map((one) => one.name)
  const way = known.length > 0 ? `There is: ${known.join(', ')}.` : 'Webhooks are declared in the configuration file.'
  throw new Fault('not-found', `There is no webhook ${JSON.stringify(name.slice(0, 64))}. ${way}`)
}
