import { setImmediate } from 'node:timers/promises'
import { Fault } from '../../../core/fault.ts'
import type { Direction } from '../direction.ts'
import { openChannel } from '../gate/channel.ts'
import { noteFailures } from '../gate/judge-window.ts'
import type { Ledger } from '../ledger.ts'
import { judgeRemotely, type RemoteParts } from '../remote/judge-remotely.ts'
import { builtinOf, scanText } from '../scan.ts'
import type { PromptPart } from './read-prompt.ts'

/** Longer texts are judged piece by piece. */
const longChars = 200_000
const pieceChars = 50_000
/** About what it costs to begin with a text, in characters. */
const beginChars = 100

/**
 * Judges a prompt by everything that answers at once. While a long one is judged others get their turn, and it is not read on behind what
 * keeps it back.
 */
export async function scanPrompt(direction: Direction, parts: readonly PromptPart[], ledger: Ledger): Promise<void> {
  let judged = 0
  for (const part of parts) {
    const { role, text, at } = addressOf(part, direction)
    if (text.length > longChars) await scanLong(direction, { ...part, role }, ledger)
    else scanText(direction, { role, text }, at, ledger)
    judged += text.length + beginChars
    if (judged < longChars) continue
    if (ledger.isFiltered) return
    judged = 0
    await setImmediate()
  }
}

async function scanLong(direction: Direction, { role, text, at }: PromptPart, ledger: Ledger): Promise<void> {
  const channel = openChannel({ direction, ledger, at, role, writeRedaction: () => '' })
  for (let from = 0; from < text.length && !ledger.isFiltered; from += pieceChars) {
    channel.feed(text.slice(from, from + pieceChars))
    await setImmediate()
  }
  channel.end()
}

/** Where nothing looks for attacks in documents, they are the user's words: nobody gets round a filter by a mark around his own. */
function addressOf(part: PromptPart, { ruleOf }: Direction): PromptPart {
  return part.role === 'document' && !ruleOf.has('indirect_attack') ? { ...part, role: 'user' } : part
}

/** Judges it by the engines that take their time. Rejects with Fault `filter-unavailable` where the policy wants no prompt unjudged. */
export async function judgePrompt(
  direction: Direction,
  parts: readonly PromptPart[],
  ledger: Ledger,
  remote: RemoteParts,
  signal: AbortSignal,
): Promise<void> {
  const judged = parts.map((part) => addressOf(part, direction))
  const verdict = await judgeRemotely(
    {
      rules: direction.remote,
      version: direction.plan.version,
      segments: judged.map(({ role, text }) => ({ role, text })),
      source: 'Prompt',
      topics: direction.topics,
      pace: 'prompt',
      signal,
      builtin: builtinOf(direction, judged),
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
