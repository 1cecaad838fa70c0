import { Fault } from '../../../core/fault.ts'
import type { Direction } from '../direction.ts'
import { builtinOf, noteFailures, topicsOf } from '../gate/judge-window.ts'
import type { Ledger } from '../ledger.ts'
import { judgeRemotely, type RemoteParts } from '../remote/judge-remotely.ts'
import { scanText } from '../scan.ts'
import type { PromptPart } from './read-prompt.ts'

/** Judges a prompt by everything that answers at once. */
export function scanPrompt(direction: Direction, parts: readonly PromptPart[], ledger: Ledger): void {
  for (const part of parts) scanText(direction, part, part.at, ledger)
}

/** Judges it by the engines that take their time. Rejects with Fault `filter-unavailable` where the policy wants no prompt unjudged. */
export async function judgePrompt(
  direction: Direction,
  parts: readonly PromptPart[],
  ledger: Ledger,
  remote: RemoteParts,
  signal: AbortSignal,
): Promise<void> {
  const verdict = await judgeRemotely(
    {
      rules: direction.remote,
      version: direction.plan.version,
      segments: parts.map(({ role, text }) => ({ role, text })),
      source: 'Prompt',
      topics: topicsOf(direction),
      pace: 'prompt',
      signal,
      builtin: {
        label: direction.plan.detector.label,
        find: (categories) => parts.flatMap((part, segment) => builtinOf(direction, part, segment).find(categories)),
      },
    },
    remote,
  )
  for (const { finding, engine } of verdict.found) {
    const part = parts[finding.span?.segment ?? -1]
    ledger.note(finding, { at: part?.at ?? 'prompt', offset: part?.offset ?? 0, engine })
  }
  noteFailures(verdict, ledger)
}

/** As the service says it: clients look for the code, people for these words. */
const message =
  "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry. To learn more about our content filtering policies please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766"

/** The refusal of a prompt that is kept back. */
export function refusePrompt(ledger: Ledger, isExplained: boolean): Fault {
  return new Fault('content-filtered', message, {
    param: 'prompt',
    filter: { results: ledger.results(), explanations: isExplained ? ledger.explanations : undefined },
    // The filter has its own line in the log.
    isRoutine: true,
  })
}
