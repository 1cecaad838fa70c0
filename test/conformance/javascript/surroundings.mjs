import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** What the checks know of the server they run against: what `ponto env` says, and the upstream's own memory. */

export const inferenceUrl = process.env.AZUREAI_ENDPOINT_URL
export const rootUrl = process.env.AZURE_OPENAI_ENDPOINT
export const key = process.env.AZUREAI_ENDPOINT_KEY

/** Ways to manage the server: its own credential, a service principal, a token of an issuer that it trusts; and a key, which is none. */
export const management = {
  credential: process.env.CONFORMANCE_MANAGEMENT_CREDENTIAL,
  tenantId: process.env.CONFORMANCE_TENANT_ID,
  clientId: process.env.CONFORMANCE_CLIENT_ID,
  clientSecret: process.env.CONFORMANCE_CLIENT_SECRET,
  issuerToken: process.env.CONFORMANCE_ISSUER_TOKEN,
  key,
}

const upstreamUrl = process.env.CONFORMANCE_UPSTREAM

/** Makes a function that gives a client's name and version as the report shows them, by the packages in this folder. */
export const nameClientsIn =
  (modules) =>
  (packageName, title = packageName) => {
    const file = new URL(`${packageName}/package.json`, modules)
    return `${title} ${JSON.parse(readFileSync(file, 'utf8')).version}`
  }

export const nameClient = nameClientsIn(new URL('../../../node_modules/', import.meta.url))

/** A text that finds a check's own requests again at the upstream. */
export function newMark() {
  return `mark-${randomUUID()}`
}

/** The requests that reached the upstream with this mark, once all of them are over. */
export async function listSeen(mark) {
  return (await fetch(`${upstreamUrl}/seen/${mark}`)).json()
}

/** Lets the gated answer to the request with this mark go on. */
export async function release(mark) {
  await fetch(`${upstreamUrl}/release/${mark}`)
}

/** Deployments of each kind of upstream that answers well, and under filters that annotate. */
export const models = [
  'Relay-Chat',
  'RELAY-CHAT',
  'relay-azure',
  'relay-foundry',
  'relay-untidy',
  'filter-annotating',
  'filter-asynchronous',
]

export const user = (content) => ({ role: 'user', content })

/** A question whose answer needs more than one byte a character. */
export const question = 'Grüße an 世界 👋, wie geht es?'

export const weatherTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather in a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}

/** Milliseconds that the upstream asks a limited caller to wait. */
export const retryAfterMs = Number(process.env.CONFORMANCE_RETRY_AFTER_MS)

/** Words that filters of the server look for: in prompts alone, in answers alone, and without any list. */
export const askedTerm = process.env.CONFORMANCE_ASKED_TERM
export const saidTerm = process.env.CONFORMANCE_SAID_TERM
export const threat = process.env.CONFORMANCE_THREAT

export async function collect(stream) {
  const items = []
  for await (const item of stream) items.push(item)
  return items
}

/** The text of a chat stream's chunks. */
export function joinText(chunks) {
  return chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? '').join('')
}
