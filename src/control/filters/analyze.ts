import { z } from 'zod'
import { Fault, toFault } from '../../core/fault.ts'
import { parseDocument } from '../../core/text/parse-document.ts'
import type { TriedText, TryText } from '../../policy/filter/judge-text.ts'
import type { FilterPlan } from '../../policy/filter/plan.ts'
import { filterNameSchema, filterSources } from '../../snapshot/filter/policy-spec.ts'
import type { AnalyzedLine } from '../api.ts'
import type { Answer } from '../http/answer.ts'
import { describeFault } from '../http/errors.ts'
import { readJsonBody } from '../http/read-body.ts'
import { maxDocumentBytes, requireValid } from './collection-handlers.ts'

export type AnalyzeOptions = {
  /** The compiled policy of that name, without regard to case. Throws Fault `filter-unavailable` for one that cannot be used. */
  findPlan(name: string): FilterPlan | undefined
  judgeText(plan: FilterPlan, text: TryText, signal: AbortSignal): Promise<TriedText>
  listPolicyNames(): readonly string[]
  readonly defaultPolicy: string
}

const text = z.string().max(1_000_000)

const requestSchema = z.strictObject({
  policy: filterNameSchema.optional(),
  lines: z
    .array(
      z.strictObject({
        text,
        source: z.enum(filterSources).default('Prompt'),
        /** What was asked, where the text is an answer. */
        prompt: text.optional(),
        documents: z.array(text).max(100).optional(),
      }),
    )
    .min(1)
    .max(1_000),
})

/** Lines that are judged at once: engines over the network are slow, and take only so many calls. */
const atOnce = 8

/** What a policy makes of texts. A line that cannot be judged says so, and the others are answered. */
export async function analyze(options: AnalyzeOptions, request: Request): Promise<Answer> {
  const body = await readJsonBody(request, maxDocumentBytes)
  const { data } = requireValid(parseDocument(requestSchema, body))
  const name = data.policy ?? options.defaultPolicy
  const plan = options.findPlan(name)
  if (!plan) {
    const known = options.listPolicyNames().map((other) => JSON.stringify(other))
    throw new Fault('invalid-request', `policy: got ${JSON.stringify(name)}, expected one of ${known.join(', ')}`, {
      param: 'policy',
    })
  }
  const value: AnalyzedLine[] = []
  for (let at = 0; at < data.lines.length; at += atOnce) {
    const lines = data.lines.slice(at, at + atOnce)
    value.push(...(await Promise.all(lines.map((line) => judgeLine(options, plan, line, request.signal)))))
  }
  return { status: 200, body: { policy: plan.policy, builtin: plan.detector.label, value } }
}

async function judgeLine(
  { judgeText }: AnalyzeOptions,
  plan: FilterPlan,
  line: TryText,
  signal: AbortSignal,
): Promise<AnalyzedLine> {
  try {
    const { filtered, results, explanations } = await judgeText(plan, line, signal)
    return { filtered, results, explanations }
  } catch (error) {
    const fault = toFault(error)
    if (fault.code !== 'filter-unavailable') throw error
    return describeFault(fault, '').body as AnalyzedLine
  }
}
