import { isDeepStrictEqual } from 'node:util'
import { showBytes } from '../findings.ts'
import { judgeLimitHeaders } from '../limits/oracle.ts'
import type { Complaint } from '../oracle.ts'
import { createRandom } from '../random.ts'
import { createRawClient, type Outcome, type RawClient } from '../raw-client.ts'
import type { Suite, Tried } from '../suite.ts'
import { upstreamSecret } from '../upstream/draft.ts'
import { findLoggedSecrets, watchLog } from '../watch-server.ts'
import { plantedSecret } from './documents.ts'
import { filterKinds } from './filter-documents.ts'
import { judgeMatching, readItem } from './judge-filters.ts'
import { judgeManagement, type Managed, readManaged } from './oracle.ts'
import { type Known, type ManageCase, mutateManagement } from './requests.ts'
import { type ManageTarget, type Reply, startManageTarget } from './target.ts'

/** Longer than anything takes here, on a busy machine too. */
const answerLimitMs = 20_000
/** Deployments that are made again before the restart. */
const keptDocuments = 150

/** All there is to manage, as it is shown. */
type State = { readonly texts: Readonly<Record<string, unknown>>; readonly etags: ReadonlyMap<string, string> }

const lists = [
  ...['deployments', 'named-keys', 'quota', 'keys', 'resources', 'deleted-resources'],
  ...['resources/base-team/deployments', ...filterKinds],
] as const

/** Mutated requests to the management API of one server, each to the same state, one after the other. */
export async function openManageSuite(): Promise<Suite> {
  const target = await startManageTarget()
  const readLog = watchLog(target)
  const secrets = new Set<string>([plantedSecret])
  const accepted: { readonly path: string; readonly document: unknown }[] = []
  const client = createRawClient(target.port())
  let namedKey = await target.reset()
  secrets.add(namedKey)
  let isFresh = true

  async function tryCase(seed: number, _lane: number, keep?: ReadonlySet<number>): Promise<Tried> {
    if (!isFresh) {
      namedKey = await target.reset()
      secrets.add(namedKey)
    }
    const before = await readState(target)
    const known: Known = {
      credential: target.credential,
      resourceKey: target.resourceKey,
      namedKey,
      upstreamPort: target.upstream.port,
      etags: before.etags,
    }
    const made = mutateManagement(seed, known, keep)
    const random = createRandom(seed ^ 0xd41)
    const tryOut = random.chance(0.4) ? await tryDryRun(target, client, seed, known, before, keep) : undefined
    const outcome = await client.send(made.request, answerLimitMs)
    const after = await readState(target)
    const hasChanged = !isDeepStrictEqual(before, after)
    isFresh = !hasChanged && outcome.kind === 'answer'
    const complaints = [
      ...(tryOut?.complaints ?? []),
      ...judgeManagement(outcome, made, hiddenFrom(target, made)),
      ...judgeChange(made, outcome, hasChanged, before, after),
      ...judgePreconditions(made, outcome, before),
      ...(tryOut ? compareWithDryRun(tryOut.outcome, outcome) : []),
      ...findSecrets(after.texts),
    ]
    if (isAccepted(made, outcome)) complaints.push(...(await judgeAccepted(made, outcome)))
    complaints.push(...(await readItem(target, client, made, outcome)))
    const answer = outcome.kind === 'answer' ? outcome.answer : undefined
    return {
      complaints,
      ends: [answer ? String(answer.status) : outcome.kind],
      names: made.names,
      input: `mutations: ${made.names.filter((_, i) => !keep || keep.has(i)).join(', ') || 'none'}\n${showBytes(Buffer.concat(made.request.bytes))}`,
      seen: answer ? `${answer.head}\n\n${answer.body.toString().slice(0, 4000)}` : JSON.stringify(outcome),
    }
  }

  /** What no answer to this request may hold. Keys are shown where they are asked for, and a new secret once. */
  function hiddenFrom({ credential, resourceKey }: ManageTarget, { draft }: ManageCase): string[] {
    const isKeys = /^\/management\/(resources\/[^/]+\/)?keys/.test(draft.path) || !draft.isPathKnown
    return [credential, ...secrets, ...(isKeys ? [] : [resourceKey])]
  }

  function findSecrets(texts: State['texts']): Complaint[] {
    const { keys, ...others } = texts
    const text = JSON.stringify(others)
    return [...secrets].some((secret) => text.includes(secret))
      ? [{ name: 'a secret in a list', detail: text.slice(0, 3000) }]
      : []
  }

  /** Whatever was accepted can be read back, and written again with the same result; a deployment can be called. */
  async function judgeAccepted({ draft }: ManageCase, outcome: Outcome): Promise<Complaint[]> {
    const managed = readManaged(draft.path)
    if (!managed || outcome.kind !== 'answer') return []
    const found: Complaint[] = []
    const { secret, ...answered } = parse(outcome.answer.body) as { secret?: string; name?: string }
    if (secret !== undefined) secrets.add(secret)
    const path = `/management/${managed.kind}/${managed.segment}`
    const read = await target.ask('GET', path)
    const complain = (name: string, reply: Reply, wanted: unknown = read.body): void =>
      void found.push({
        name: `${name} (${managed.kind})`,
        detail: `${reply.status} ${JSON.stringify(reply.body)}\nwanted:\n${JSON.stringify(wanted)}`,
      })
    if (read.status !== 200) {
      complain('what was accepted cannot be read', read)
      return found
    }
    if (!isDeepStrictEqual(read.body, answered)) complain('what is read is not what was answered', read, answered)
    const byShownName = await target.ask(
      'GET',
      `/management/${managed.kind}/${encodeURIComponent(answered.name ?? '')}`,
    )
    if (!isDeepStrictEqual(byShownName.body, read.body))
      complain('it is not found by the name it is shown with', byShownName)
    const attempts: (readonly [string, string, unknown])[] = [
      ['written again', 'PUT', read.body],
      ...(isPatchable(managed) ? [['patched with nothing', 'PATCH', {}] as const] : []),
    ]
    for (const [name, method, body] of attempts) {
      const again = await target.ask(method, path, body)
      if (again.status !== 200) complain(`what was read is refused when ${name}`, again)
      else if (!isDeepStrictEqual(timeless(again.body), timeless(read.body)))
        complain(`another thing when ${name}`, again)
    }
    if (managed.kind === 'deployments') found.push(...(await judgeCall(read.body as Shown)))
    if (managed.kind === 'rai-blocklists') found.push(...(await judgeMatching(target, client)))
    if (accepted.length < keptDocuments) accepted.push({ path: `/management/${managed.kind}`, document: read.body })
    return found
  }

  /** Whatever limits it was given, a call to it is answered or refused, and never fails. */
  async function judgeCall({ name, backends = [] }: Shown): Promise<Complaint[]> {
    if (
      backends.length === 0 ||
      !backends.every(({ url }) => url.startsWith(`http://127.0.0.1:${target.upstream.port}/`))
    )
      return []
    const body = JSON.stringify({ model: name, messages: [{ role: 'user', content: 'hi' }], max_tokens: 5 })
    const head = `POST /openai/v1/chat/completions HTTP/1.1\r\nHost: localhost\r\napi-key: ${target.resourceKey}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`
    const bytes = [Buffer.from(head + body)]
    const outcome = await client.send({ bytes, isHead: false, isFramed: true }, answerLimitMs)
    if (outcome.kind !== 'answer') return [{ name: `a call to it: ${outcome.kind}`, detail: JSON.stringify(outcome) }]
    const { answer } = outcome
    const failed = { name: 'a call to it: internal error', detail: `${answer.head}\n\n${answer.body}` }
    return [...(answer.status === 500 ? [failed] : []), ...judgeLimitHeaders(answer)]
  }

  return {
    kind: 'manage',
    lanes: 1,
    tryCase,
    look: () =>
      target.isAlive()
        ? readLog()
        : [...readLog(), { name: 'the server is gone', detail: target.errors().slice(-3000) }],
    finish: async () => [
      ...(await judgeRestart(target, accepted)),
      ...findLoggedSecrets(target.errors(), [target.credential, target.resourceKey, upstreamSecret, ...secrets]),
    ],
    async close() {
      client.close()
      await target.stop()
    },
  }
}

type Shown = { readonly name: string; readonly backends?: readonly { readonly url: string }[] }

/** The same request as a trial, which must change nothing. */
async function tryDryRun(
  target: ManageTarget,
  client: RawClient,
  seed: number,
  known: Known,
  before: State,
  keep: ReadonlySet<number> | undefined,
): Promise<{ readonly outcome: Outcome; readonly complaints: readonly Complaint[] } | undefined> {
  const { draft, request } = mutateManagement(seed, known, keep)
  const managed = readManaged(draft.path)
  const isTried =
    managed &&
    draft.isPathKnown &&
    request.isFramed &&
    !draft.leave &&
    draft.query === '' &&
    isDryRunnable(draft.method, managed)
  if (!isTried) return undefined
  const [first, ...rest] = request.bytes
  const whole = Buffer.concat([first as Buffer, ...rest]).toString('latin1')
  const bytes = [Buffer.from(whole.replace(' HTTP/1.1\r\n', '?dryRun=true HTTP/1.1\r\n'), 'latin1')]
  const outcome = await client.send({ ...request, bytes }, answerLimitMs)
  const after = await readState(target)
  const complaints = isDeepStrictEqual(before, after)
    ? []
    : [{ name: `a dry run changes something (${draft.method} ${managed.kind})`, detail: showChange(before, after) }]
  return { outcome, complaints }
}

const isPatchable = ({ kind }: Managed): boolean => ['deployments', 'named-keys', 'resources'].includes(kind)

function isDryRunnable(method: string, { action, item }: Managed): boolean {
  if (action === 'pause' || action === 'resume') return method === 'POST'
  if (action === 'items') return method === (item === undefined || item === 'delete' ? 'POST' : method)
  return action === undefined && ['PUT', 'PATCH', 'DELETE'].includes(method)
}

/** The real thing ends as its trial did, but for what only a write has. */
function compareWithDryRun(trial: Outcome, real: Outcome): Complaint[] {
  if (trial.kind !== 'answer' || real.kind !== 'answer') return []
  const [tried, done] = [trial.answer, real.answer]
  const detail = `dry run: ${tried.status} ${tried.body}\nthen: ${done.status} ${done.body}`
  if (tried.status !== done.status) return [{ name: 'a dry run ends otherwise than the write', detail }]
  if (tried.status >= 300) return []
  const [a, b] = [parse(tried.body), parse(done.body)].map(withoutBirth)
  return isDeepStrictEqual(a, b) ? [] : [{ name: 'a dry run shows another thing than the write makes', detail }]
}

/** Without what follows from when it was made. */
function withoutBirth(body: unknown): unknown {
  const isMortal = (body as { sku?: { name?: string } } | undefined)?.sku?.name === 'DeveloperTier'
  return timeless(body, ['createdAt', 'secret', ...(isMortal ? ['expiresAt', 'lifecycle'] : [])])
}

function isAccepted({ draft }: ManageCase, outcome: Outcome): boolean {
  if (outcome.kind !== 'answer' || outcome.answer.status >= 300) return false
  const managed = readManaged(draft.path)
  return (
    (draft.method === 'PUT' || draft.method === 'PATCH') &&
    managed?.action === undefined &&
    !/dryRun=true/.test(draft.query)
  )
}

function judgeChange(
  { draft }: ManageCase,
  outcome: Outcome,
  hasChanged: boolean,
  before: State,
  after: State,
): Complaint[] {
  if (!hasChanged) return []
  const detail = showChange(before, after)
  if (outcome.kind === 'answer' && outcome.answer.status >= 400)
    return [{ name: 'a refused request changes something', detail }]
  if (['GET', 'HEAD', 'OPTIONS'].includes(draft.method)) return [{ name: `${draft.method} changes something`, detail }]
  const isTrial = draft.isPathKnown && /^(api-version=[^&]*&)?dryRun=true(&|$)/.test(draft.query)
  return isTrial ? [{ name: `a dry run changes something (${draft.method})`, detail }] : []
}

/** Nothing is done on a condition that does not hold. */
function judgePreconditions({ draft }: ManageCase, outcome: Outcome, { etags }: State): Complaint[] {
  const managed = readManaged(draft.path)
  if (outcome.kind !== 'answer' || outcome.answer.status >= 300 || draft.method === 'GET' || draft.method === 'HEAD')
    return []
  const isWithin = managed?.kind === 'resources' && managed.action !== undefined
  if (!managed || managed.kind === 'quota' || isWithin) return []
  const etag = etags.get(`/management/${managed.kind}/${decodeURIComponent(managed.segment)}`.toLowerCase())
  const valuesOf = (wanted: string) => draft.headers.filter(([name]) => name === wanted).map(([, value]) => value)
  const matches = valuesOf('If-Match')
  const isMet = matches.length === 0 || matches.some((value) => value.includes('*') || (etag && value.includes(etag)))
  const isRefused = etag !== undefined && valuesOf('If-None-Match').some((value) => value.trim() === '*')
  const detail = `${JSON.stringify(draft.headers)}, etag ${etag}: ${outcome.answer.status}`
  return isMet && !isRefused ? [] : [{ name: 'done in spite of a condition', detail }]
}

type Credential = { readonly stored?: boolean }
type Kept = {
  readonly name: string
  readonly credential?: Credential
  readonly backends?: readonly { readonly credential?: Credential }[]
}
const open = (credential: Credential) => (credential.stored ? { value: plantedSecret } : credential)

/** What was accepted is still there, and the same, when the server has started again. */
async function judgeRestart(
  target: ManageTarget,
  accepted: readonly { readonly path: string; readonly document: unknown }[],
): Promise<Complaint[]> {
  if (!target.isAlive()) return []
  await target.reset()
  for (const [index, { path, document }] of accepted.entries()) {
    const { name, ...rest } = document as Kept
    const backends = rest.backends?.map(({ credential, ...backend }) => ({
      ...backend,
      ...(credential && { credential: open(credential) }),
    }))
    const { credential } = rest
    const segment = path.endsWith('quota') ? name : `kept-${index}`
    await target.ask('PUT', `${path}/${encodeURIComponent(segment)}`, {
      ...rest,
      ...(backends && { backends }),
      ...(credential && { credential: open(credential) }),
    })
  }
  const before = await readState(target)
  await target.restart()
  const after = await readState(target)
  const { warnings } = (await target.ask('GET', '/management/status')).body as { warnings: readonly string[] }
  const unread = warnings.filter((warning) => /cannot be read/.test(warning))
  return [
    ...(isDeepStrictEqual(before, after)
      ? []
      : [{ name: 'another state after a restart', detail: showChange(before, after) }]),
    ...(unread.length > 0
      ? [{ name: 'what was accepted cannot be read after a restart', detail: unread.join('\n') }]
      : []),
  ]
}

async function readState(target: ManageTarget): Promise<State> {
  const texts: Record<string, unknown> = {}
  const etags = new Map<string, string>()
  const replies = await Promise.all(lists.map((list) => target.ask('GET', `/management/${list}`)))
  for (const [index, list] of lists.entries()) {
    const reply = replies[index] as Reply
    texts[list] = reply.status === 200 ? reply.body : `${reply.status} ${reply.text}`
    const { value = [] } = reply.body as { value?: { name: string; etag?: string }[] }
    for (const { name, etag } of value) if (etag) etags.set(`/management/${list}/${name}`.toLowerCase(), etag)
  }
  return { texts, etags }
}

function showChange(before: State, after: State): string {
  return lists
    .filter((list) => !isDeepStrictEqual(before.texts[list], after.texts[list]))
    .map(
      (list) =>
        `${list} before: ${JSON.stringify(before.texts[list])}\n${list} after: ${JSON.stringify(after.texts[list])}`,
    )
    .join('\n')
    .slice(0, 6000)
}

/** Without what every write changes. */
function timeless(body: unknown, more: readonly string[] = []): unknown {
  if (typeof body !== 'object' || body === null) return body
  return Object.fromEntries(Object.entries(body).filter(([name]) => !['etag', 'updatedAt', ...more].includes(name)))
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}
