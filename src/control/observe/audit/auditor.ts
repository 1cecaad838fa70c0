import { createHash } from 'node:crypto'
import { toFault } from '../../../core/fault.ts'
import { isJsonObject, type Json } from '../../../core/json.ts'
import { randomId } from '../../../core/text/id.ts'
import type { AuditRow, AuditTable } from '../../../port/tables/audit/port.ts'
import type { ErrorBody } from '../../api.ts'
import type { Answer } from '../../http/answer.ts'
import { wasTriedOut } from '../../http/dry-run.ts'
import { describeFault } from '../../http/errors.ts'
import type { Visit } from '../../http/route.ts'

export type AuditOptions = {
  readonly audit: AuditTable
  /** Unix milliseconds. */
  now(): number
  /** Told of an entry that could not be written, so that it is at least in the log. */
  onAuditLost(row: AuditRow, error: unknown): void
}

export type Change = {
  readonly action: string
  readonly request: Request
  readonly visit: Omit<Visit, 'forward' | 'params'>
  /** Reads what the change is about, where there is a way to. */
  readonly look: (() => Promise<Answer>) | undefined
  readonly handle: () => Promise<Answer>
}

export type Auditor = {
  /** Makes the change, and keeps who made it and what it came to; also of one that is refused, whose Fault is thrown on. */
  record(change: Change): Promise<Answer>
}

/** Of the actions, those that change nothing and show no secret. */
const untoldPattern =
  /\/(read|(probe|analyze|test|register|evaluateDeploymentPolicies|calculateModelCapacity|check\w+Availability)\/action)$/
/** Actions whose answers are secrets through and through. */
const secretPattern = /\/(listKeys|regenerateKey|token)\/action$/

/** Whether an action is one that is kept. */
export function isTold(action: string): boolean {
  return !untoldPattern.test(action)
}

export function createAuditor({ audit, now, onAuditLost }: AuditOptions): Auditor {
  let lastAt = 0

  async function keep(change: Change, result: Pick<AuditRow, 'status' | 'code' | 'before' | 'after'>): Promise<void> {
    const { action, request, visit } = change
    // No two of a server have the same time, so that their order is that of the changes.
    lastAt = Math.max(now(), lastAt + 1)
    const row: AuditRow = {
      id: randomId(20),
      at: lastAt,
      actorKind: visit.principal.kind,
      actorId: visit.principal.id,
      actorName: visit.principal.name,
      address: visit.address,
      action,
      target: new URL(request.url).pathname,
      requestId: visit.requestId,
      ...result,
    }
    try {
      await audit.append(row)
    } catch (error) {
      onAuditLost(row, error)
    }
  }

  return {
    async record(change) {
      const { action, request, look, handle } = change
      const isSecret = secretPattern.test(action)
      const before = isSecret ? undefined : await readBefore(look)
      let answer: Answer
      try {
        answer = await handle()
      } catch (error) {
        const { status, body } = describeFault(toFault(error), '')
        const { code } = (body as ErrorBody).error
        if (!wasTriedOut(request)) await keep(change, { status, code, before: undefined, after: undefined })
        throw error
      }
      if (wasTriedOut(request)) return answer
      const after = isSecret ? undefined : withoutSecrets(answer.body as Json | undefined)
      await keep(change, { status: answer.status, code: undefined, before, after })
      return answer
    },
  }
}

/** What is there before a change; nothing where there is nothing. */
async function readBefore(look: Change['look']): Promise<Json | undefined> {
  try {
    return withoutSecrets((await look?.())?.body as Json | undefined)
  } catch {
    return undefined
  }
}

/** The answer that makes a secret shows it this once; it is not kept. */
function withoutSecrets(body: Json | undefined): Json | undefined {
  if (!isJsonObject(body)) return body
  const { secret, ...rest } = body
  return shortenTexts(rest)
}

/** Texts of an operator's own, to be found in answers, may be millions of characters. */
const longestText = 1_000

/** Long texts by their beginning and what they come to, so that a change of one is still seen. */
function shortenTexts(value: Json): Json {
  if (typeof value === 'string') {
    if (value.length <= longestText) return value
    const digest = createHash('sha256').update(value).digest('hex').slice(0, 16)
    return `${value.slice(0, 100)}... (${value.length} characters, SHA-256 ${digest})`
  }
  if (Array.isArray(value)) return value.map(shortenTexts)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shortenTexts(inner)]))
}
