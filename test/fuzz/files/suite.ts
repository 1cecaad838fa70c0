import { showBytes } from '../findings.ts'
import { type Complaint, judgeOutcome } from '../oracle.ts'
import { createRandom } from '../random.ts'
import { createRawClient, type Outcome } from '../raw-client.ts'
import type { Suite, Tried } from '../suite.ts'
import { findLoggedSecrets, watchLog } from '../watch-server.ts'
import { drawRequest, type FilesDraft, type KnownIds } from './draft.ts'
import { type FilesTarget, startFilesTarget } from './target.ts'

/** Longer than anything takes here, on a busy machine too. */
const answerLimitMs = 20_000
/** So many are kept to be asked for. */
const mostKnown = 40
const content = `${JSON.stringify({ custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body: { model: 'work', messages: [{ role: 'user', content: 'hi' }] } })}\n`

/**
 * Hostile requests for files, uploads and batches: names, ids, ranges, cursors, forms and documents. Whatever comes, errors are in the shape
 * of the surface, nothing of another key is seen, and a range is that part of what was uploaded.
 */
export async function openFilesSuite(): Promise<Suite> {
  const target = await startFilesTarget()
  const readLog = watchLog(target)
  const client = createRawClient(target.port)
  const known = { files: [] as string[], uploads: [] as string[], parts: [] as string[], batches: [] as string[] }
  const contents = new Map<string, Buffer>()
  const foreign: string[] = []
  await seedItems(target, known.files, foreign)
  for (const id of known.files) contents.set(id, Buffer.from(content))

  async function tryCase(seed: number): Promise<Tried> {
    const random = createRandom(seed)
    const ids: KnownIds = { ...known, foreign }
    const draft = drawRequest(random, ids)
    const bytes = writeRequest(draft, target.key)
    // Streams of events go on for as long as their batch does.
    const leave = draft.path.includes('/events') ? 'after-first-byte' : undefined
    const outcome = await client.send(
      { bytes: [bytes], isHead: draft.method === 'HEAD', isFramed: true, leave },
      answerLimitMs,
    )
    const complaints = [...judge(draft, outcome), ...judgeContent(draft, outcome)]
    complaints.push(...(await learn(draft, outcome)))
    const answer = outcome.kind === 'answer' ? outcome.answer : undefined
    return {
      complaints,
      ends: [answer ? String(answer.status) : outcome.kind],
      names: [],
      input: `${draft.name}\n${showBytes(bytes)}`,
      seen: answer ? `${answer.head}\n\n${answer.body.toString().slice(0, 3000)}` : JSON.stringify(outcome),
    }
  }

  function judge(draft: FilesDraft, outcome: Outcome): Complaint[] {
    const surface = draft.path.startsWith('/openai/v1') ? 'openai' : undefined
    const found = judgeOutcome(outcome, {
      surface,
      isUpstreamWell: true,
      isAnswerDue: draft.method !== 'HEAD',
      isOwnStream: true,
      isPassed: draft.path.includes('/content') || draft.path.includes('/events'),
      secrets: [target.key, target.otherKey],
    })
    if (outcome.kind !== 'answer') return found
    const { answer } = outcome
    const isAboutForeign = foreign.some((id) => draft.path.includes(`/${id}`))
    if (isAboutForeign && answer.status < 400 && draft.method !== 'OPTIONS')
      found.push({ name: 'something of another key', detail: answer.head })
    const text = answer.body.toString()
    if (answer.status < 400 && foreign.some((id) => text.includes(`"id":"${id}"`))) {
      found.push({ name: 'something of another key in a list', detail: text.slice(0, 2000) })
    }
    return found
  }

  /** A range of a file is that part of it, whatever was asked. */
  function judgeContent({ method, path, headers }: FilesDraft, outcome: Outcome): Complaint[] {
    const id = /\/files\/([^/]+)\/content/.exec(path)?.[1] ?? ''
    const whole = contents.get(id)
    if (!whole || outcome.kind !== 'answer' || method !== 'GET') return []
    const { status, headers: told, body } = outcome.answer
    const note = (name: string): Complaint[] => [{ name, detail: `${headers}\n${outcome.answer.head}\n${body}` }]
    if (status === 200) return body.equals(whole) ? [] : note('another content than was uploaded')
    if (status === 206) {
      const [, from, to, all] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(told['content-range'] ?? '') ?? []
      const isPart = Number(all) === whole.length && body.equals(whole.subarray(Number(from), Number(to) + 1))
      return isPart && body.length > 0 ? [] : note('another part than is told')
    }
    if (status === 416)
      return told['content-range'] === `bytes */${whole.length}` ? [] : note('a refused range without the length')
    return [400, 404].includes(status) ? [] : note(`content: status ${status}`)
  }

  /** Remembers what was made; what was made can be read. */
  async function learn({ method, path, isWhole }: FilesDraft, outcome: Outcome): Promise<Complaint[]> {
    if (outcome.kind !== 'answer' || method !== 'POST' || outcome.answer.status >= 300) return []
    const made = parse(outcome.answer.body)
    const id = typeof made?.id === 'string' ? made.id : undefined
    if (id === undefined)
      return [{ name: 'something without an id was made', detail: outcome.answer.body.toString().slice(0, 2000) }]
    const [kind = ''] =
      /(files|uploads|batches|parts)(?=(\?|$|\/[^/]*\/(parts|complete|cancel)))/.exec(path.split('?')[0] ?? '') ?? []
    const list = path.includes('/parts') ? known.parts : known[kind as keyof typeof known]
    if (list && !list.includes(id)) list.push(id)
    if (list && list.length > mostKnown) {
      const [old = ''] = list.splice(3, 1)
      if (list === known.files) await target.ask(target.key, 'DELETE', `/openai/v1/files/${old}`)
    }
    if (kind === 'uploads' || path.includes('/parts')) return []
    const read = await target.ask(target.key, 'GET', `/openai/v1/${kind}/${id}`)
    const text = await read.text()
    const other = await target.ask(target.otherKey, 'GET', `/openai/v1/${kind}/${id}`)
    const otherText = await other.text()
    const found: Complaint[] = []
    if (read.status !== 200)
      found.push({ name: `what was made cannot be read (${kind})`, detail: `${isWhole} ${text}` })
    if (other.status !== 404) found.push({ name: `another key reads it (${kind})`, detail: otherText })
    if (kind === 'files' && read.status === 200) found.push(...(await judgeFile(id, JSON.parse(text) as Made)))
    return found
  }

  async function judgeFile(id: string, { filename = '', bytes }: Made): Promise<Complaint[]> {
    const found: Complaint[] = []
    if (/[/\\\p{C}]/u.test(filename) || filename === '' || filename === '..')
      found.push({ name: 'a name that is a path', detail: JSON.stringify(filename) })
    const response = await target.ask(target.key, 'GET', `/openai/v1/files/${id}/content`)
    const body = Buffer.from(await response.arrayBuffer())
    if (response.status !== 200 || body.length !== bytes)
      found.push({
        name: 'the size of a file is not that of its content',
        detail: `${response.status} ${body.length} ${bytes}`,
      })
    contents.set(id, body)
    return found
  }

  return {
    kind: 'files',
    lanes: 1,
    tryCase,
    look: () =>
      target.isAlive()
        ? readLog()
        : [...readLog(), { name: 'the server is gone', detail: target.errors().slice(-3000) }],
    finish: async () => findLoggedSecrets(target.errors(), [target.key, target.otherKey]),
    async close() {
      client.close()
      await target.stop()
    },
  }
}

type Made = { readonly id?: unknown; readonly filename?: string; readonly bytes?: number }

/** Files of both keys, and a batch of the other one. */
async function seedItems(target: FilesTarget, own: string[], foreign: string[]): Promise<void> {
  const upload = async (key: string): Promise<string> => {
    const body = new FormData()
    body.set('purpose', 'batch')
    body.set('file', new Blob([content]), 'a.jsonl')
    const response = await target.ask(key, 'POST', '/openai/v1/files', { body })
    return ((await response.json()) as { id: string }).id
  }
  for (let i = 0; i < 3; i++) own.push(await upload(target.key))
  const id = await upload(target.otherKey)
  const batch = { input_file_id: id, endpoint: '/v1/chat/completions', completion_window: '24h' }
  const init = { body: JSON.stringify(batch), headers: { 'content-type': 'application/json' } }
  const response = await target.ask(target.otherKey, 'POST', '/openai/v1/batches', init)
  foreign.push(id, ((await response.json()) as { id: string }).id)
}

function writeRequest({ method, path, headers, body }: FilesDraft, key: string): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: localhost', `api-key: ${key}`]
  for (const [name, value] of headers) lines.push(`${name}: ${value}`)
  if (body) lines.push(`content-length: ${body.length}`)
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body ?? Buffer.alloc(0)])
}

function parse(body: Buffer): Made | undefined {
  try {
    const value: unknown = JSON.parse(body.toString())
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
