import type { Call, CallKind } from '../../core/call.ts'
import type { Exchange } from '../../core/exchange.ts'
import { Fault } from '../../core/fault.ts'
import type { Segment } from '../../core/filter/engine.ts'
import type { Explanation } from '../../core/filter/results.ts'
import type { Reply } from '../../core/reply.ts'
import type { ResourceId } from '../../core/resource.ts'
import { maxFindings } from '../../core/usage/request-record.ts'
import type { Next, Policy } from '../pipeline.ts'
import { type Direction, directionOf, engineHeaderOf } from './direction.ts'
import { gateEvents } from './gate/gate-events.ts'
import { gateResult } from './gate/gate-result.ts'
import type { AnswerContext } from './gate/judge-window.ts'
import { type Ledger, openLedger } from './ledger.ts'
import type { FilterPlan, PiiMatch } from './plan.ts'
import { judgePrompt, refusePrompt, scanPrompt } from './prompt/judge-prompt.ts'
import { refuseLookAlikes } from './prompt/look-alike-fields.ts'
import { type PromptPart, readPrompt } from './prompt/read-prompt.ts'
import { type Rewritten, rewritePrompt } from './prompt/rewrite-prompt.ts'
import type { RemoteParts } from './remote/judge-remotely.ts'

export type FilterPolicyParts = {
  /** The policy of that name, without regard to case. */
  findPlan(name: string, resource: ResourceId | undefined): FilterPlan | undefined
  readonly remote: RemoteParts
  /** Told of every prompt and answer that was kept back or annotated with something: never with a text. */
  onFinding(exchange: Exchange, wasFiltered: boolean, explanations: readonly Explanation[]): void
  /** The text that token ids stand for: prompts may come as those. */
  decodeTokens(inputs: readonly (readonly number[])[]): Promise<readonly string[]>
}

const engineHeader = 'x-content-filter-engine'

/** Operations with a text to judge. */
const judged: ReadonlySet<CallKind> = new Set<CallKind>([
  'chat',
  'completion',
  'image',
  'image-edit',
  'inference-image',
])

/**
 * Judges prompts before, or while, a model sees them, and answers before a caller does. The last policy before the backends: what it keeps
 * back nobody else stores or counts as said.
 */
export function createFilterPolicy(parts: FilterPolicyParts): Policy {
  return (exchange, next) => {
    const plan = choosePlan(exchange, parts)
    if (!plan || !judged.has(exchange.call.kind) || (plan.prompt.isEmpty && plan.completion.isEmpty)) {
      // It may have come here from a deployment that has one.
      delete exchange.answerHeaders[engineHeader]
      exchange.record.filterPolicy = ''
      return next(exchange)
    }
    return filterCall(exchange, next, plan, parts)
  }
}

/** The deployment's policy, or the one that the call chooses itself. */
function choosePlan({ deployment, header }: Exchange, { findPlan }: FilterPolicyParts): FilterPlan | undefined {
  const chosen = header('x-policy-id')
  if (chosen === null) return findPlan(deployment.filterPolicy, deployment.resource)
  const plan = findPlan(chosen, deployment.resource)
  if (plan?.isSelectable) return plan
  throw new Fault(
    'unknown-policy',
    'Your request contains invalid content filter policy. Please provide a valid policy.',
    { param: 'x-policy-id', input: chosen },
  )
}

/** Keys of the resource may do anything anyway; others learn what was kept back, not by which rule. */
function isExplained({ caller, header }: Exchange): boolean {
  const asked = header('x-content-filter-explain')
  return asked !== null && asked !== 'false' && caller.grant === undefined
}

async function filterCall(exchange: Exchange, next: Next, plan: FilterPlan, parts: FilterPolicyParts): Promise<Reply> {
  const direction = directionOf(plan, 'Prompt')
  const answers = directionOf(plan, 'Completion')
  exchange.answerHeaders[engineHeader] = engineHeaderOf(plan)
  const { record } = exchange
  record.filterPolicy = plan.policy
  record.filterFromMs = performance.now() - record.startedMs
  await writeOutTokens(exchange, parts)
  refuseLookAlikes(exchange)
  const read = readPrompt(exchange.call, plan.scope)
  const prompt = direction.isEmpty ? [] : read
  const ledger = openLedger(direction)
  await scanPrompt(direction, prompt, ledger)
  noteJudged(exchange)
  if (ledger.isFiltered) throw keepBack(exchange, ledger, parts)

  const rewritten = rewritePrompt(exchange.call, direction)
  if (rewritten) exchange.call = rewritten.call
  exchange.needsEvents = true
  const reply = await answerJudged(exchange, next, direction, prompt, ledger, parts)
  noteLedger(exchange, ledger)
  if (ledger.explanations.length > 0) parts.onFinding(exchange, false, ledger.explanations)
  return gateReply(reply, { exchange, answers, prompt, read, ledger, rewritten, parts })
}

/** Token ids are a text too, which somebody has to have read. */
async function writeOutTokens(exchange: Exchange, { decodeTokens }: FilterPolicyParts): Promise<void> {
  const { call } = exchange
  if (call.kind !== 'completion' || typeof call.prompts[0] !== 'object') return
  const prompts = await decodeTokens(call.prompts as readonly (readonly number[])[])
  exchange.call = { ...call, prompts, source: undefined }
}

function keepBack(exchange: Exchange, ledger: Ledger, { onFinding }: FilterPolicyParts): Fault {
  noteLedger(exchange, ledger)
  onFinding(exchange, true, ledger.explanations)
  return refusePrompt(ledger, isExplained(exchange))
}

/** The prompt has been judged, so far. */
function noteJudged({ record }: Exchange): void {
  record.filterMs = performance.now() - record.startedMs - record.filterFromMs
}

/** Writes down what was found, with the call that it was found in. */
function noteLedger({ record }: Exchange, { explanations, isFiltered, hasError }: Ledger): void {
  for (const explanation of explanations) {
    if (record.findings.length < maxFindings) record.findings.push(explanation)
  }
  record.isFiltered ||= isFiltered
  record.hasFilterError ||= hasError
}

/** The model's answer, which nobody gets before the prompt has been judged by all. */
async function answerJudged(
  exchange: Exchange,
  next: Next,
  direction: Direction,
  prompt: readonly PromptPart[],
  ledger: Ledger,
  parts: FilterPolicyParts,
): Promise<Reply> {
  if (direction.remote.length === 0 || prompt.length === 0) return next(exchange)
  const judge = async (signal: AbortSignal): Promise<void> => {
    await judgePrompt(direction, prompt, ledger, parts.remote, signal)
    noteJudged(exchange)
    if (ledger.isFiltered) throw keepBack(exchange, ledger, parts)
  }
  if (direction.plan.promptCheck === 'first') {
    await judge(exchange.signal)
    return next(exchange)
  }
  const stop = new AbortController()
  const signal = AbortSignal.any([exchange.signal, stop.signal])
  // What the backends note of the call (record, holds, usage) they note in objects that both share.
  const answer = next({ ...exchange, signal })
  let early: Reply | undefined
  // It may come, or fail, before the verdict, which goes first.
  answer.then(
    (reply) => {
      early = reply
    },
    () => {},
  )
  try {
    await judge(signal)
  } catch (error) {
    stop.abort()
    // Nobody gets it, but it was made.
    if (early?.kind === 'whole') exchange.tally.usage = early.result.usage
    answer.then(letGo, () => {})
    throw error
  }
  return answer
}

/** Of an answer that nobody will read. */
function letGo(reply: Reply): void {
  const body = reply.kind === 'stream' ? reply.events : reply.kind === 'whole' ? undefined : reply.body
  if (!body || body instanceof Uint8Array) return
  body[Symbol.asyncIterator]()
    .return?.()
    ?.catch(() => {})
}

type Answered = {
  readonly exchange: Exchange
  readonly answers: Direction
  /** What was judged of the prompt. */
  readonly prompt: readonly PromptPart[]
  /** What answers are judged with, also where prompts are not. */
  readonly read: readonly PromptPart[]
  readonly ledger: Ledger
  readonly rewritten: Rewritten | undefined
  readonly parts: FilterPolicyParts
}

async function gateReply(reply: Reply, answered: Answered): Promise<Reply> {
  const { exchange, ledger, prompt, rewritten, parts } = answered
  const promptFilter = prompt.length > 0 || ledger.hasError ? ledger.results() : undefined
  const explained = isExplained(exchange)
  const options = {
    context: makeContext(answered),
    isJson: isJsonAnswer(exchange.call),
    isExplained: explained,
    writeRedaction: (match: PiiMatch) => `[${match.type}]`,
  }
  const noteOver = (own: Ledger): void => {
    noteLedger(exchange, own)
    if (own.explanations.length > 0) parts.onFinding(exchange, own.isFiltered, own.explanations)
  }
  if (reply.kind === 'whole' && reply.result.kind !== 'embed') {
    const result = await gateResult(reply.result, { ...options, promptFilter, onJudged: noteOver })
    const explanations = explained ? [...ledger.explanations, ...(result.explanations ?? [])] : []
    const whole = explanations.length > 0 ? { ...result, explanations } : result
    return { kind: 'whole', result: rewritten ? rewritten.restoreResult(whole) : whole }
  }
  if (reply.kind === 'stream') {
    const events = gateEvents(reply.events, {
      ...options,
      choices: choicesOf(exchange.call),
      promptChars: prompt.reduce((sum, { text }) => sum + text.length, 0),
      first: promptFilter && {
        type: 'prompt-filter',
        results: promptFilter,
        ...(explained && ledger.explanations.length > 0 && { explanations: ledger.explanations }),
      },
      onJudged: noteOver,
    })
    return { kind: 'stream', events: rewritten ? rewritten.restoreEvents(events) : events }
  }
  if (reply.kind === 'bytes') {
    letGo(reply)
    throw new TypeError('a backend gave bytes to pass on where a filter reads the answer')
  }
  return reply
}

function makeContext({ exchange, answers, read, parts }: Answered): AnswerContext {
  const documents = documentsOf(exchange.call, read)
  return {
    direction: answers,
    asked: answers.remote.length > 0 ? [...lastAsked(read), ...documentSegments(answers, documents)] : [],
    documents,
    signal: exchange.signal,
    remote: parts.remote,
  }
}

/** More of the question does not help to judge an answer. */
const maxAskedChars = 2_000

function lastAsked(prompt: readonly PromptPart[]) {
  const last = prompt.findLast(({ role }) => role === 'user')
  return last ? [{ role: 'user' as const, text: last.text.slice(-maxAskedChars) }] : []
}

/** For engines that judge whether an answer keeps to them. */
function documentSegments({ remote }: Direction, documents: readonly string[]): Segment[] {
  const areNeeded = remote.some(({ category }) => category === 'ungrounded_material')
  return areNeeded ? documents.map((text) => ({ role: 'document', text })) : []
}

/** What the caller gave the model to go by: marked documents and results of tools. */
function documentsOf(call: Call, prompt: readonly PromptPart[]): readonly string[] {
  const documents = prompt.filter(({ role }) => role === 'document').map(({ text }) => text)
  if (call.kind !== 'chat') return documents
  const results = call.messages.flatMap(({ role, content }) =>
    role === 'tool' && typeof content === 'string' ? [content] : [],
  )
  return [...documents, ...results]
}

function isJsonAnswer(call: Call): boolean {
  return call.kind === 'chat' && call.responseFormat !== undefined && call.responseFormat.type !== 'text'
}

function choicesOf(call: Call): number {
  if (call.kind === 'chat') return call.n
  return call.kind === 'completion' ? call.n * call.prompts.length : 1
}
