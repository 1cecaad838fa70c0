import type { RequestView } from '../../control/api.ts'
import type { FaultCode } from '../../core/fault-codes.ts'
import type { LimitCounter, LimitDecision } from '../../core/usage/request-record.ts'
import { makeHarmless } from '../terminal/excerpt.ts'
import { formatCount } from '../terminal/units.ts'

/** What was decided about a request, in words, and what can be done about it. */

type Limit = LimitDecision
type Finding = NonNullable<RequestView['findings']>[number]

/** A sentence for each thing that was decided. */
export function explainDecisions(request: RequestView): string[] {
  return [
    ...(request.spilledFrom ? [`'${request.spilledFrom}' could not take it, so '${request.deployment}' did.`] : []),
    ...(request.limits ?? []).map(explainLimit),
    ...(request.findings ?? []).map(explainFinding),
    ...(request.hasFilterError ? ['A content filter could not run, and its policy went on without it.'] : []),
  ]
}

function explainLimit({
  action,
  deployment,
  promptTokens,
  completionTokens,
  isGuess,
  counters,
  refusedBy,
}: Limit): string {
  const guess = isGuess ? ', which is what answers here usually have' : ''
  const estimate = `estimated at ${formatCount(promptTokens)} tokens of prompt and ${formatCount(completionTokens)} of answer${guess}`
  const refused = counters[refusedBy]
  if (action === 'refused' && refused) {
    return `The limit of '${deployment}' refused it: ${describeCounter(refused)}, and it would take ${formatCount(refused.cost)}. It was ${estimate}.`
  }
  const left = counters.filter(({ owner }) => owner !== 'pool').map(describeCounter)
  return `The limits of '${deployment}' let it in, ${estimate}: ${left.join('; ')}.`
}

const measures = {
  tokens: 'tokens',
  requests: 'requests',
  units: 'units of provisioned throughput',
  slots: 'calls at once',
}

function describeCounter({ owner, measure, limit, used, resetMs }: LimitCounter): string {
  const whose = owner === 'key' ? "the key's " : owner === 'pool' ? "the pool's " : ''
  const until = resetMs > 0 ? `, for ${(resetMs / 1000).toFixed(resetMs < 10_000 ? 1 : 0)} s more` : ''
  return `${formatCount(Math.round(used))} of ${whose}${formatCount(limit)} ${measures[measure]} were taken${until}`
}

function explainFinding({
  source,
  policy,
  category,
  severity,
  threshold,
  filtered,
  engine,
  id,
  rule,
  span,
}: Finding): string {
  const where = span ? ` in ${span.at}, characters ${span.start} to ${span.end}` : ''
  const what = [id, rule].filter((word) => word !== undefined).join(', ')
  const from = threshold === undefined ? '' : `, which is kept back from ${threshold} on`
  return makeHarmless(
    `${source}: '${policy}' ${filtered ? 'kept back' : 'annotated'} ${category} (${severity}${from}), found by ${engine}${what ? ` (${what})` : ''}${where}.`,
  )
}

/** Why it ended as it did, where it did not end well. */
export function explainEnd(request: RequestView): string | undefined {
  const { outcome, code, message, param, status } = request
  if (outcome === 'aborted') {
    return request.responseBytes > 0
      ? 'The caller went away in the middle of the answer.'
      : 'The caller went away before there was an answer.'
  }
  if (code === undefined) return undefined
  const where = param === undefined ? '' : ` at ${param}`
  const how = status < 400 ? 'The answer had begun and then broke off' : `It ended with ${status}`
  return makeHarmless(`${how}: ${code}${where}.${message === undefined ? '' : ` ${message}`}`)
}

/** What to do about it. */
export function wayOut(request: RequestView): string | undefined {
  const { code, deployment = 'NAME', caller = 'NAME', asked, retryAfterMs = 0, attempts = [] } = request
  const ways: Partial<Record<FaultCode, string>> = {
    'rate-limited':
      attempts.length > 0
        ? `The backend itself has had enough: give the deployment another one (ponto deployment update ${deployment} --backend ...), or ask less.`
        : `Wait ${Math.ceil(retryAfterMs / 1000)} s, or give it more: ${wayOfLimit(request)}`,
    'exceeds-capacity': `It can never fit: ask for fewer tokens (max_tokens), or give it more: ${wayOfLimit(request)}`,
    'budget-exhausted': `See what is left with "ponto usage budgets", and change it with: ponto key update ${caller} --budget tokens/day=...`,
    'content-filtered': `See what the policy says of a text with "ponto filter try", or change it with: ponto filter policy update ${request.findings?.[0]?.policy ?? 'NAME'} ...`,
    'deployment-not-found': `There is no '${asked ?? ''}', or not for this key. See: ponto deployment list, ponto key show ${caller}`,
    'operation-not-supported': `See what the model of the deployment is for with: ponto deployment show ${deployment}`,
    unauthorized: 'The key is none of this server. See: ponto env, ponto key list',
    forbidden: 'See what the caller may do with: ponto identity',
    'deployment-paused': `Resume it with: ponto deployment resume ${deployment}`,
    'model-retired': `Move it to another version with: ponto deployment update ${deployment} --model-version ...`,
    'breakers-open': `Its backends failed again and again. See why with: ponto deployment probe ${deployment}`,
    'upstream-misconfigured': `The backend refuses what it is sent: address, model or credential are wrong. See: ponto deployment probe ${deployment}`,
    'upstream-unavailable': `The backend cannot be reached. See: ponto deployment probe ${deployment}`,
    'upstream-timeout': `The backend took too long. Give it more time in its timeouts, or see: ponto deployment probe ${deployment}`,
    'upstream-failed': `What the backend answered was of no use. See the server's log for request ${request.id}.`,
    'context-length-exceeded': 'The prompt is longer than the model takes: shorten it.',
    'invalid-request': quotes(request),
    'invalid-json': quotes(request),
    'extra-parameters': quotes(request),
    'unsupported-value': quotes(request),
    'upstream-rejected': quotes(request),
    internal: `This is a bug of ours. The server's log has more about request ${request.id}.`,
  }
  return code === undefined ? undefined : ways[code]
}

/** Messages that may quote the request are not kept, unless prompts are. */
function quotes({ message, id }: RequestView): string | undefined {
  if (message !== undefined) return undefined
  return `What was wrong may quote the prompt, so it is not kept here: the answer said it, and so does the server's log of request ${id}.`
}

function wayOfLimit({ limits = [], deployment = 'NAME', caller = 'NAME' }: RequestView): string {
  const last = limits.at(-1)
  const counter = last?.counters[last.refusedBy]
  if (counter?.owner === 'key') return `ponto key update ${caller} --tokens-per-minute ... (or --requests-per-minute)`
  if (counter?.measure === 'slots') return `ponto deployment update ${deployment} --concurrency ...`
  return `ponto deployment update ${deployment} --capacity ...`
}
