import type { Exchange, Outcome, ServedTier } from '../../core/exchange.ts'
import type { Fault } from '../../core/fault.ts'
import type { Tally } from '../../core/usage/tally.ts'
import type { CounterState, Counters, Reservation, Verdict } from '../../port/counters/port.ts'
import type { Policy } from '../pipeline.ts'
import { createPlans, type Line, type Plan, type Refusal, type WindowRule, writeDemands } from './demands.ts'
import { countAnswers, type Estimate, estimateCall } from './estimate.ts'
import { writeLimitHeaders } from './headers.ts'
import { noteDecision } from './note-decision.ts'
import { refuse, refuseFlex, refuseSlots, refuseWhatNeverFits } from './refusal.ts'
import { chooseTier, flexShare, tierRanks, withoutTier } from './service-tier.ts'
import { actualCosts } from './settle.ts'
import { createWaitQueue, type StartTimer, startRealTimer, type Waited } from './wait-queue.ts'

export type LimiterOptions = {
  readonly counters: Counters
  /** Unix milliseconds. */
  readonly now: () => number
  /** How many calls may wait for a slot of one deployment, here in this thread; 256 when absent. */
  readonly maxWaiting?: number | undefined
  /** How long one may wait; 1,000 when absent. */
  readonly maxWaitMs?: number | undefined
  /** `setTimeout` when absent. */
  readonly startTimer?: StartTimer | undefined
}

/** A call on its way in. */
type Ticket = {
  readonly exchange: Exchange
  readonly plan: Plan
  readonly estimate: Estimate
  readonly tier: ServedTier
  /** What the deployment's own tokens stood at when they refused and the call went on to borrow. */
  ownRefusal: Refusal | undefined
}

type Admission = Refusal | undefined

/**
 * Lets a call in if the deployment and the key have enough left for what it may cost, and settles when it has ended. All counters are
 * charged at once or none is. Rejects with Fault `rate-limited` with the time to wait, with `exceeds-capacity` where waiting would not
 * help, and with `invalid-request` for a service tier that there is not.
 */
export function createLimiter(options: LimiterOptions): Policy {
  const { counters, now, maxWaiting = 256, maxWaitMs = 1_000, startTimer = startRealTimer } = options
  const isAwaited = (refusal: Refusal) => refusingLine(refusal).measure === 'slots'
  const plans = createPlans(() => createWaitQueue({ isAwaited, maxWaiting, maxWaitMs, now, startTimer }))

  /** undefined when the call is in. Throws or rejects with a Fault when it is not to be. */
  function admit(exchange: Exchange): undefined | Promise<undefined> {
    const { call, deployment } = exchange
    // Lines of batches come after everybody else, whatever they ask for.
    const tier = exchange.isBatch ? 'flex' : chooseTier(call, deployment)
    exchange.servedTier = tier
    if (deployment.sku) exchange.call = withoutTier(call)
    const plan = plans.find(deployment, exchange.caller)
    if (!plan) return undefined
    const share = tier === 'flex' ? flexShare : 1
    const estimate = estimateCall(call, {
      guessTokens: plan.shared.lengths.ninthDecile,
      mostGuessed: plan.mostGuessed * share,
      mostTokens: plan.mostTokens * share,
      maxOutputTokens: deployment.maxOutputTokens,
    })
    const never = refuseWhatNeverFits(exchange, plan, estimate, share)
    if (never) throw never
    const ticket: Ticket = { exchange, plan, estimate, tier: tier ?? 'default', ownRefusal: undefined }
    return tier === 'flex' ? admitFlex(ticket) : enter(ticket)
  }

  /** Looks before it leaps: whether others are left enough is no rule of the counters, so those who look at once may go over a little. */
  function admitFlex(ticket: Ticket): undefined | Promise<undefined> {
    const lines = ticket.plan.lines.filter(({ owner, rule }) => owner === 'deployment' && rule.kind === 'window')
    const demands = writeDemands(lines, ticket.estimate, 0)
    const check = (states: readonly CounterState[]) => {
      lines.forEach((line, i) => {
        const state = states[i] as CounterState
        const { limit } = line.rule as WindowRule
        if (state.used + (demands[i]?.cost ?? 0) <= Math.max(1, limit * flexShare)) return
        writeLimitHeaders(ticket.exchange.answerHeaders, lines, states)
        noteDecision(ticket.exchange, ticket.estimate, lines, demands, states, i)
        throw refuseFlex(ticket.exchange, ticket.estimate, line, state)
      })
      return enter(ticket)
    }
    const states = counters.read(lines.map(({ rule }) => rule))
    return states instanceof Promise ? states.then(check) : check(states)
  }

  function enter(ticket: Ticket): undefined | Promise<undefined> {
    const { queue } = ticket.plan.shared
    // Nobody overtakes those who wait.
    if (queue && !queue.isEmpty()) return wait(ticket)
    const admission = take(ticket, ticket.plan.lines)
    return admission instanceof Promise ? admission.then((late) => conclude(ticket, late)) : conclude(ticket, admission)
  }

  function conclude(ticket: Ticket, admission: Admission): undefined | Promise<undefined> {
    if (!admission) return undefined
    if (isAwaited(admission)) return wait(ticket)
    throw refuseAndNote(ticket, admission)
  }

  async function wait(ticket: Ticket): Promise<undefined> {
    const { exchange, plan } = ticket
    const { record } = exchange
    const from = performance.now()
    if (record.queuedMs < 0) record.queuedMs = from - record.startedMs
    let waited: Waited<Refusal> | undefined
    try {
      waited = await plan.shared.queue?.join(() => take(ticket, plan.lines), tierRanks[ticket.tier], exchange.signal)
    } finally {
      record.queueMs += performance.now() - from
    }
    if (waited === 'full') throw refuseFull(ticket)
    if (waited) throw refuseAndNote(ticket, waited)
    return undefined
  }

  function take(ticket: Ticket, lines: readonly Line[]): Admission | Promise<Admission> {
    const demands = writeDemands(lines, ticket.estimate, ticket.plan.outputWeight)
    const verdict = counters.reserve(demands)
    return verdict instanceof Promise
      ? verdict.then((late) => judge(ticket, lines, demands, late))
      : judge(ticket, lines, demands, verdict)
  }

  function judge(
    ticket: Ticket,
    lines: readonly Line[],
    demands: Refusal['demands'],
    verdict: Verdict,
  ): Admission | Promise<Admission> {
    const { plan, exchange } = ticket
    if (verdict.isAdmitted) {
      noteDecision(exchange, ticket.estimate, lines, demands, verdict.reservation.states, -1)
      hold(ticket, lines, verdict.reservation)
      return undefined
    }
    const refusal: Refusal = { lines, demands, verdict }
    if (plan.pooled && lines === plan.lines) {
      const { owner, measure } = refusingLine(refusal)
      // What a deployment has of its own it may use whatever others have borrowed.
      if (owner === 'pool') return take(ticket, plan.pooled.withoutPool)
      if (owner === 'deployment' && measure === 'tokens' && ticket.tier !== 'flex') {
        ticket.ownRefusal = refusal
        return take(ticket, plan.pooled.borrowing)
      }
    }
    // The pool was the last hope: what is told is why it was needed.
    const told = (refusingLine(refusal).owner === 'pool' && ticket.ownRefusal) || refusal
    writeLimitHeaders(exchange.answerHeaders, told.lines, told.verdict.states)
    return told
  }

  function hold(ticket: Ticket, lines: readonly Line[], reservation: Reservation): void {
    const { exchange, estimate, plan } = ticket
    const { answerHeaders, call } = exchange
    writeLimitHeaders(answerHeaders, lines, reservation.states)
    // Borrowed tokens are not the deployment's: of its own there are as few left as before.
    const own = ticket.ownRefusal
    if (own) writeLimitHeaders(answerHeaders, [refusingLine(own)], own.verdict.states.slice(own.verdict.refusedBy))
    exchange.holds.push({
      release(tally, outcome) {
        reservation.settle(actualCosts(lines, estimate, plan.outputWeight, tally, outcome))
        if (estimate.isGuess) recordLength(plan, countAnswers(call), tally, outcome)
        plan.shared.queue?.wake()
      },
    })
  }

  return (exchange, next) => {
    try {
      const admitted = admit(exchange)
      return admitted === undefined ? next(exchange) : admitted.then(() => next(exchange))
    } catch (error) {
      return Promise.reject(error)
    }
  }
}

function refuseAndNote({ exchange, estimate }: Ticket, refusal: Refusal): Fault {
  const { lines, demands, verdict } = refusal
  noteDecision(exchange, estimate, lines, demands, verdict.states, verdict.refusedBy)
  return refuse(exchange, estimate, refusal)
}

function recordLength({ shared }: Plan, answers: number, { usage }: Tally, outcome: Outcome): void {
  if (usage && outcome === 'done') shared.lengths.record(usage.completionTokens / Math.max(1, answers))
}

function refusingLine({ lines, verdict }: Refusal): Line {
  return lines[verdict.refusedBy] as Line
}

/** None of the slots became free while the call waited for one. */
function refuseFull({ exchange, estimate, plan }: Ticket): Fault {
  const line = plan.lines.find(({ measure }) => measure === 'slots') as Line
  const { limit } = line.rule as { readonly limit: number }
  noteDecision(exchange, estimate, [line], [{ rule: line.rule, cost: 1 }], [{ used: limit, resetMs: 0 }], 0)
  return refuseSlots(exchange, limit)
}
