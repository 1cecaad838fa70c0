import type { FilterSource } from '../../core/filter/categories.ts'
import type { Explanation, FilterResults } from '../../core/filter/results.ts'
import type { AnswerResult } from '../../core/result.ts'
import { directionOf } from './direction.ts'
import { gateResult } from './gate/gate-result.ts'
import { type Ledger, openLedger } from './ledger.ts'
import type { FilterPlan } from './plan.ts'
import { judgePrompt, scanPrompt } from './prompt/judge-prompt.ts'
import type { PromptPart } from './prompt/read-prompt.ts'
import type { RemoteParts } from './remote/judge-remotely.ts'

/** A text to try a policy on: somebody's prompt, or a model's answer to `prompt`, which is to keep to `documents`. */
export type TryText = {
  readonly text: string
  readonly source: FilterSource
  readonly prompt?: string | undefined
  readonly documents?: readonly string[] | undefined
}

export type TriedText = {
  readonly filtered: boolean
  readonly results: FilterResults
  readonly explanations: readonly Explanation[]
}

/**
 * What a policy makes of a text, by all its engines, as it would of a call. Rejects with Fault `filter-unavailable` as a call would.
 */
export async function judgeText(
  plan: FilterPlan,
  { text, source, prompt, documents = [] }: TryText,
  remote: RemoteParts,
  signal: AbortSignal,
): Promise<TriedText> {
  const direction = directionOf(plan, source)
  const quoted = documents.map(
    (document, index): PromptPart => ({ role: 'document', text: document, at: `documents[${index}]`, offset: 0 }),
  )
  if (source === 'Prompt') {
    const ledger = openLedger(direction)
    const parts: PromptPart[] = [{ role: 'user', text, at: 'text', offset: 0 }, ...quoted]
    await scanPrompt(direction, parts, ledger)
    if (direction.remote.length > 0) await judgePrompt(direction, parts, ledger, remote, signal)
    return readLedger(ledger)
  }
  let ledger: Ledger | undefined
  const answer: AnswerResult = { kind: 'chat', choices: [{ index: 0, text, finishReason: 'stop' }] }
  await gateResult(answer, {
    context: {
      direction,
      asked: [
        ...(prompt === undefined ? [] : [{ role: 'user' as const, text: prompt }]),
        ...documents.map((document) => ({ role: 'document' as const, text: document })),
      ],
      documents,
      signal,
      remote,
    },
    isJson: false,
    isExplained: true,
    promptFilter: undefined,
    writeRedaction: (match) => `[${match.type}]`,
    onJudged: (own) => {
      ledger = own
    },
  })
  return readLedger(ledger as Ledger)
}

function readLedger(ledger: Ledger): TriedText {
  return { filtered: ledger.isFiltered, results: ledger.results(), explanations: ledger.explanations }
}
