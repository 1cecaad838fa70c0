import type { Budget, Exchange, Hold } from '../../core/exchange.ts'
import { Fault } from '../../core/fault.ts'
import { qualify } from '../../core/resource.ts'
import type { UsageTable } from '../../port/tables/usage/port.ts'
import { estimateCall } from '../limit/estimate.ts'
import { costOf } from './cost.ts'

type Amounts = { tokens: number; costMicros: number }
type Period = Budget['period']

/** What one key has spent in the periods that are open, and what its calls under way may still cost. */
type Account = {
  readonly spent: Record<Period, { endsAt: number; amounts: Amounts }>
  readonly held: Amounts
}

export type BudgetStatus = {
  readonly unit: Budget['unit']
  readonly period: Period
  readonly limit: number
  readonly spent: number
  /** ISO 8601. */
  readonly resetsAt: string
}

export type Budgets = {
  /** Lets the call in with a hold of what it may cost, or throws Fault `budget-exhausted`. */
  admit(exchange: Exchange): void
  /** Adds what a call has cost. `key`: the name of the key, qualified by its resource. */
  note(key: string, tokens: number, costMicros: number): void
  status(key: string, budgets: readonly Budget[]): BudgetStatus[]
}

export const hourMs = 3_600_000
const micros = 1_000_000
/** Of an answer without a bound. */
const guessedTokens = 512

/**
 * Reads what the open periods have brought so far. `now` is unix milliseconds; periods are days and months in UTC, and a call counts in
 * the one in which it ends.
 *
 * Spending belongs to the name of a key, and is counted whether or not the key has a budget. So a budget that is given or changed in
 * mid-period is judged at once by all that the period has brought, a rotated key goes on where it was, and a key that is deleted and
 * made again under its name does not begin anew.
 */
export async function openBudgets(table: UsageTable, now: () => number): Promise<Budgets> {
  const accounts = new Map<string, Account>()
  const openedAt = now()
  for (const period of ['month', 'day'] as const) {
    const startsAt = startOf(period, openedAt)
    const query = {
      fromHour: startsAt / hourMs,
      toHour: Math.floor(openedAt / hourMs) + 1,
      groupBy: ['resource', 'keyName'] as const,
    }
    for (const { resource, keyName = '', promptTokens, completionTokens, costMicros } of await table.read(query)) {
      const current = accountOf(qualify(resource, keyName)).spent[period]
      current.endsAt = endOf(period, openedAt)
      current.amounts.tokens += promptTokens + completionTokens
      current.amounts.costMicros += costMicros
    }
  }

  function accountOf(name: string): Account {
    const key = name.toLowerCase()
    let account = accounts.get(key)
    if (!account) {
      const fresh = () => ({ endsAt: 0, amounts: { tokens: 0, costMicros: 0 } })
      account = { spent: { day: fresh(), month: fresh() }, held: { tokens: 0, costMicros: 0 } }
      accounts.set(key, account)
    }
    return account
  }

  /** What was spent in the period that is open now; a period that is over counts no more. */
  function spentIn(account: Account, period: Period): Amounts {
    const current = account.spent[period]
    const nowMs = now()
    // A clock that was set back opens no period again.
    if (nowMs >= current.endsAt) {
      current.endsAt = endOf(period, nowMs)
      current.amounts = { tokens: 0, costMicros: 0 }
    }
    return current.amounts
  }

  return {
    admit(exchange) {
      const { caller, deployment, call, holds } = exchange
      const budgets = caller.grant?.budgets ?? []
      if (budgets.length === 0) return
      const account = accountOf(qualify(caller.resource, caller.keyName))
      const bounds = {
        guessTokens: () => guessedTokens,
        mostGuessed: guessedTokens,
        mostTokens: Number.POSITIVE_INFINITY,
        maxOutputTokens: deployment.maxOutputTokens,
      }
      const { promptTokens, completionTokens } = estimateCall(call, bounds)
      const asked: Amounts = {
        tokens: promptTokens + completionTokens,
        costMicros: Math.ceil(costOf(deployment.price, { promptTokens, completionTokens, cachedTokens: 0 })),
      }
      for (const budget of budgets) {
        const unit = budget.unit === 'tokens' ? 'tokens' : 'costMicros'
        const limit = budget.limit * (unit === 'tokens' ? 1 : micros)
        const spent = spentIn(account, budget.period)[unit] + account.held[unit]
        if (spent + asked[unit] > limit) throw refuse(caller.keyName, budget, spent, asked[unit], now())
      }
      account.held.tokens += asked.tokens
      account.held.costMicros += asked.costMicros
      holds.push(releaseOf(account, asked))
    },
    note(key, tokens, costMicros) {
      const account = accountOf(key)
      for (const period of ['day', 'month'] as const) {
        const amounts = spentIn(account, period)
        amounts.tokens += tokens
        amounts.costMicros += costMicros
      }
    },
    status(key, budgets) {
      const account = accountOf(key)
      return budgets.map(({ unit, period, limit }) => {
        const { tokens, costMicros } = spentIn(account, period)
        const spent = unit === 'tokens' ? tokens : costMicros / micros
        return { unit, period, limit, spent, resetsAt: new Date(endOf(period, now())).toISOString() }
      })
    },
  }
}

function releaseOf({ held }: Account, asked: Amounts): Hold {
  return {
    release() {
      held.tokens -= asked.tokens
      held.costMicros -= asked.costMicros
    },
  }
}

function refuse(keyName: string, budget: Budget, spent: number, asked: number, nowMs: number): Fault {
  const { unit, period, limit } = budget
  const amount = (value: number) => (unit === 'tokens' ? `${value} tokens` : `${value / micros} of cost`)
  const left = Math.max(0, (unit === 'tokens' ? limit : limit * micros) - spent)
  return new Fault(
    'budget-exhausted',
    `The key '${keyName}' may use ${unit === 'tokens' ? `${limit} tokens` : `${limit} of cost`} a ${period}. ${amount(spent)} are used or held by calls under way, ${amount(left)} are left, and this request may need ${amount(asked)}. The ${period} ends at ${new Date(endOf(period, nowMs)).toISOString()}.`,
  )
}

function startOf(period: Period, timeMs: number): number {
  const time = new Date(timeMs)
  return Date.UTC(time.getUTCFullYear(), time.getUTCMonth(), period === 'day' ? time.getUTCDate() : 1)
}

function endOf(period: Period, timeMs: number): number {
  const time = new Date(timeMs)
  const [year, month, day] = [time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate()]
  return period === 'day' ? Date.UTC(year, month, day + 1) : Date.UTC(year, month + 1)
}
