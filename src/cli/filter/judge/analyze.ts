import type { AnalyzedLine, ErrorBody } from '../../../control/api.ts'
import type { FilterSource } from '../../../core/filter/categories.ts'
import type { CommandContext } from '../../context.ts'
import type { ManagementClient } from '../../management-client.ts'
import { openProgress } from '../../terminal/progress.ts'

/** A text to be judged: somebody's prompt, or a model's answer to `prompt`, which is to keep to `documents`. */
export type AskedText = {
  readonly text: string
  readonly source: FilterSource
  readonly prompt?: string | undefined
  readonly documents?: readonly string[] | undefined
}

export type JudgedText = Exclude<AnalyzedLine, ErrorBody>

/** `policy` as it is written, and the label of the built-in engine; an answer for each text, in their order. */
export type Analysis = { readonly policy: string; readonly builtin: string; readonly value: readonly AnalyzedLine[] }

const portion = { lines: 50, chars: 200_000 } as const
/** Engines over the network may take their time with each text. */
const portionWithinMs = 300_000

/** What a policy makes of texts, of which there is at least one; asked in portions, with the progress on standard error. */
export async function analyzeTexts(
  context: CommandContext,
  client: ManagementClient,
  policy: string,
  texts: readonly AskedText[],
  noun = 'texts',
): Promise<Analysis> {
  const progress = openProgress(context, noun, texts.length)
  let analysis: Analysis = { policy, builtin: '', value: [] }
  try {
    for (const lines of cutPortions(texts)) {
      const answer = await client.call<Analysis>('filters/analyze', {
        method: 'POST',
        body: { policy, lines },
        answerWithinMs: portionWithinMs,
      })
      analysis = { ...answer, value: [...analysis.value, ...answer.value] }
      progress.show(analysis.value.length)
    }
  } finally {
    progress.end()
  }
  return analysis
}

export function isJudged(line: AnalyzedLine): line is JudgedText {
  return 'results' in line
}

function* cutPortions(texts: readonly AskedText[]): Generator<readonly AskedText[]> {
  let open: AskedText[] = []
  let chars = 0
  for (const text of texts) {
    const own = [text.text, text.prompt ?? '', ...(text.documents ?? [])].reduce((sum, part) => sum + part.length, 0)
    if (open.length > 0 && (open.length === portion.lines || chars + own > portion.chars)) {
      yield open
      open = []
      chars = 0
    }
    open.push(text)
    chars += own
  }
  if (open.length > 0) yield open
}
