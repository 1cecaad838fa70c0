import type { Complaint } from '../oracle.ts'
import type { Outcome, RawAnswer } from '../raw-client.ts'
import { upstreamSecret } from '../upstream/draft.ts'
import { type FilterKind, filterKinds } from './filter-documents.ts'
import type { ManageCase } from './requests.ts'

/** What the path of a management request is about. `segment` is the name as the path has it. */
export type Managed = {
  readonly kind: 'deployments' | 'named-keys' | 'quota' | 'resources' | 'deleted-resources' | FilterKind
  readonly segment: string
  readonly action: string | undefined
  /** Of a blocklist, as the path has its name. */
  readonly item: string | undefined
}

const managedPath = new RegExp(
  `^/management/(deployments|named-keys|quota|resources|deleted-resources|${filterKinds.join('|')})/([^/]+)(?:/([^/]+)(?:/(.+))?)?$`,
)

/** undefined for a path that is about nothing that can be written. */
export function readManaged(path: string): Managed | undefined {
  const pathname = resolvePath(path)
  const match = managedPath.exec(pathname ?? '')
  if (!match) return undefined
  const [, kind, segment = '', action, item] = match
  return { kind: kind as Managed['kind'], segment, action, item }
}

/** The path as a server reads it, undefined when it is none. */
function resolvePath(path: string): string | undefined {
  const url = `http://localhost${path}`
  return path.startsWith('/') && URL.canParse(url) ? new URL(url).pathname : undefined
}

/** Whatever was asked: no failure, errors in their shape, nothing for strangers, no secret. */
export function judgeManagement(
  outcome: Outcome,
  { draft, request, hasCredential }: ManageCase,
  hidden: readonly string[],
): Complaint[] {
  switch (outcome.kind) {
    case 'left':
      return []
    case 'answer':
      return judgeAnswer(outcome.answer, outcome.hasClosed, draft, hasCredential, hidden)
    case 'closed':
      return request.isFramed ? [{ name: 'no answer', detail: 'the connection ended without one' }] : []
    default:
      return [{ name: outcome.kind, detail: JSON.stringify(outcome) }]
  }
}

function judgeAnswer(
  answer: RawAnswer,
  hasClosed: boolean,
  { path, method }: ManageCase['draft'],
  hasCredential: boolean,
  hidden: readonly string[],
): Complaint[] {
  const { status, head, headers, body } = answer
  const found: Complaint[] = []
  const text = body.toString('utf8')
  const note = (name: string): void => void found.push({ name, detail: `${head}\n\n${text.slice(0, 2000)}` })
  if (status >= 500 && status !== 501 && status !== 505) note(`status ${status}`)
  if ([upstreamSecret, ...hidden].some((secret) => text.includes(secret) || head.includes(secret)))
    note('a secret in the answer')
  const isOurs = /^\/(management|subscriptions|tenants)(\/|$)/i.test(resolvePath(path) ?? '')
  if (!isOurs) return found
  if (status < 400 && !hasCredential) note(`a stranger gets ${status}`)
  if (body.length === 0) {
    // What the HTTP parser in front refuses it refuses without a body, and hangs up.
    if (status >= 400 && !hasClosed && method !== 'HEAD') note(`an error without a body (${status})`)
    return found
  }
  if (!headers['content-type']?.startsWith('application/json')) note(`content type ${headers['content-type']}`)
  const value = parse(text)
  if (value === undefined) note('an answer that is no JSON')
  else if (status >= 400 && !isError(value)) note(`an error in another shape (${status})`)
  return found
}

function isError(value: unknown): boolean {
  const { error, ...others } = Object(value) as {
    error?: { code?: unknown; message?: unknown; target?: unknown; details?: unknown }
  }
  if (Object.keys(others).length > 0 || typeof error !== 'object' || error === null) return false
  const { code, message, target, details } = error
  const isText = (part: unknown): boolean => typeof part === 'string' && part !== ''
  const areDetails =
    details === undefined || (Array.isArray(details) && details.every((one) => isText(one.code) && isText(one.message)))
  return isText(code) && isText(message) && (target === undefined || isText(target)) && areDetails
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
