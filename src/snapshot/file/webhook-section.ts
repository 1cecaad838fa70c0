import { isIP } from 'node:net'
import { z } from 'zod'
import { judgeAddress, normalizeHost } from '../../backend/transport/dial/address-guard.ts'
import { isJsonObject } from '../../core/json.ts'
import { type DocumentProblem, parseDocument } from '../../core/text/parse-document.ts'

/** What a receiver can be told of. */
export const webhookEvents = ['batch.completed', 'batch.failed', 'batch.expired', 'batch.cancelled'] as const
export type WebhookEvent = (typeof webhookEvents)[number]

const webhookSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, '1 to 64 letters, digits, "-", "_" or "."'),
  url: z.url({ protocol: /^https?$/ }).max(2048),
  /** The variable with what messages are signed with. */
  secret: z.strictObject({
    env: z.string().regex(/^PONTO_SECRET_[A-Z0-9_]+$/, 'a variable whose name begins with PONTO_SECRET_'),
  }),
  events: z
    .array(z.enum(webhookEvents))
    .min(1)
    .refine((events) => new Set(events).size === events.length, 'each event once'),
  /** The key whose batches it is about; all batches when absent. */
  owner: z.string().min(1).max(128).optional(),
})

/** Where to send what happens: only the file says, since whoever may name an address may have the server call it. */
export type WebhookSpec = z.output<typeof webhookSchema>

/** The section of the file. */
export const webhookSections = { webhooks: z.array(z.unknown()).max(100).optional() } as const

export type WebhookReading = {
  readonly webhooks: readonly WebhookSpec[]
  readonly problems: readonly DocumentProblem[]
}

const secretRule =
  '{env: PONTO_SECRET_NAME}, with "whsec_" and 24 to 64 octets in base64 in that variable: a secret does not belong in this file'

/** Judges the section. That the file is an object is for others to judge. */
export function readWebhooks(value: unknown, readSecret: (name: string) => string | undefined): WebhookReading {
  const document = isJsonObject(value) ? value : {}
  const parsed = parseDocument(z.object(webhookSections), document)
  if ('problems' in parsed) return { webhooks: [], problems: parsed.problems }
  const webhooks: WebhookSpec[] = []
  const problems: DocumentProblem[] = []
  const first = new Map<string, number>()
  for (const [index, input] of (parsed.data.webhooks ?? []).entries()) {
    const reading = readWebhook(input, readSecret)
    const found = 'problems' in reading ? [...reading.problems] : []
    const name = 'spec' in reading ? reading.spec.name.toLowerCase() : undefined
    const earlier = name === undefined ? undefined : first.get(name)
    if (earlier !== undefined) {
      found.push({
        path: ['name'],
        text: `webhooks[${earlier}] has this name already (names match without regard to case)`,
      })
    }
    if (name !== undefined && earlier === undefined) first.set(name, index)
    problems.push(...found.map((problem) => ({ ...problem, path: ['webhooks', index, ...problem.path] })))
    if ('spec' in reading && found.length === 0) webhooks.push(reading.spec)
  }
  return { webhooks, problems }
}

function readWebhook(
  input: unknown,
  readSecret: (name: string) => string | undefined,
): { readonly spec: WebhookSpec } | { readonly problems: readonly DocumentProblem[] } {
  const secret: unknown = isJsonObject(input) ? input.secret : undefined
  if (secret !== undefined && !isJsonObject(secret)) {
    return { problems: [{ path: ['secret'], text: `expected ${secretRule}` }] }
  }
  // Addresses and secrets may hold what is for nobody else.
  const parsed = parseDocument(webhookSchema, input, { isSecret: ([field]) => field === 'secret' || field === 'url' })
  if ('problems' in parsed) return parsed
  const spec = parsed.data
  const problems: DocumentProblem[] = []
  const wrongUrl = judgeReceiver(spec.url)
  if (wrongUrl) problems.push({ path: ['url'], text: wrongUrl })
  const wrongSecret = judgeSecret(spec.secret.env, readSecret)
  if (wrongSecret) problems.push({ path: ['secret', 'env'], text: wrongSecret })
  return problems.length > 0 ? { problems } : { spec }
}

/** Why a receiver's address is refused. A name is judged again when it is connected to, by the address it then has. */
function judgeReceiver(text: string): string | undefined {
  const url = new URL(text)
  if (url.username || url.password) {
    return 'a user or password does not belong in a URL; a receiver knows by the signature who sends'
  }
  if (url.hash) return 'got a fragment (#), expected a URL without one'
  const host = normalizeHost(url.hostname) ?? url.hostname
  const reason = isIP(host) ? judgeAddress(host) : undefined
  if (reason) return `the address ${host} is refused: ${reason}`
  if (url.protocol === 'http:' && !isLoopback(host)) {
    return 'got http:// beyond this machine, expected https://; plain HTTP is for loopback only'
  }
  return undefined
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function judgeSecret(name: string, readSecret: (name: string) => string | undefined): string | undefined {
  const text = readSecret(name)
  if (!text) return `the variable ${name} is not set; set it where Ponto is started, and start Ponto again`
  if (decodeWebhookSecret(text)) return undefined
  return `the variable ${name} holds no secret of a webhook, which is "whsec_" and 24 to 64 octets in base64. Make one: echo "whsec_$(openssl rand -base64 32)"`
}

/** The octets that messages are signed with, as Standard Webhooks writes them; undefined for anything else. */
export function decodeWebhookSecret(text: string): Buffer | undefined {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1]
  const key = encoded === undefined ? undefined : Buffer.from(encoded, 'base64')
  return key && key.length >= 24 && key.length <= 64 ? key : undefined
}
