import { hardTexts } from '../filter/texts.ts'
import type { Complaint } from '../oracle.ts'
import type { Outcome, RawClient } from '../raw-client.ts'
import { readManaged } from './oracle.ts'
import type { ManageCase } from './requests.ts'
import type { ManageTarget } from './target.ts'

/** As long as many texts take that are hard to judge, on a busy machine too. */
const judgeLimitMs = 20_000

/** Whatever a blocklist has in it, texts are judged by it in good time: work that is not bounded is a hang. */
export async function judgeMatching(target: ManageTarget, client: RawClient): Promise<Complaint[]> {
  const lines = hardTexts.slice(0, 12).map((text) => ({ text }))
  const body = Buffer.from(JSON.stringify({ policy: 'base-policy', lines }))
  const head = [
    'POST /management/filters/analyze HTTP/1.1',
    'Host: localhost',
    `Authorization: Bearer ${target.credential}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ]
  const bytes = [Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]
  const outcome = await client.send({ bytes, isHead: false, isFramed: true }, judgeLimitMs)
  if (outcome.kind !== 'answer') return [{ name: `texts judged: ${outcome.kind}`, detail: JSON.stringify(outcome) }]
  const { status, head: answerHead, body: answer } = outcome.answer
  return status === 200 ? [] : [{ name: `texts judged: ${status}`, detail: `${answerHead}\n\n${answer}` }]
}

/** An item that was accepted can be read, and what is judged is judged with it. */
export async function readItem(
  target: ManageTarget,
  client: RawClient,
  { draft }: ManageCase,
  outcome: Outcome,
): Promise<Complaint[]> {
  const managed = readManaged(draft.path)
  if (managed?.action !== 'items' || outcome.kind !== 'answer' || outcome.answer.status >= 300) return []
  if (/dryRun=true/.test(draft.query) || draft.method === 'GET' || draft.method === 'HEAD') return []
  const found = await judgeMatching(target, client)
  const { value: items = [] } = (await target.ask('GET', `/management/rai-blocklists/${managed.segment}/items?top=20`))
    .body as { value?: readonly { readonly name: string }[] }
  for (const item of items) {
    const path = `/management/rai-blocklists/${managed.segment}/items/${encodeURIComponent(item.name)}`
    const reply = await target.ask('GET', path)
    if (reply.status !== 200 || JSON.stringify(reply.body) !== JSON.stringify(item))
      found.push({ name: 'an item of a list cannot be read', detail: `${path}: ${reply.status} ${reply.text}` })
  }
  return found
}
