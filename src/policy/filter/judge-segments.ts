import { Fault } from '../../core/fault.ts'
import type { FilterCategory, FilterSource } from '../../core/filter/categories.ts'
import type { Finding, Segment } from '../../core/filter/engine.ts'
import { comparisonsOf } from './compare.ts'
import { writeEngines } from './engine-header.ts'
import type { FilterPlan } from './plan.ts'
import { judgeRemotely, type RemoteParts } from './remote/judge-remotely.ts'
import { builtinOf, categoriesFor, detectInTurns, placeIn } from './scan.ts'

export type SegmentsQuestion = {
  readonly categories: ReadonlySet<FilterCategory>
  readonly source: FilterSource
  readonly signal: AbortSignal
}

export type SegmentsJudgement = {
  readonly findings: readonly Finding[]
  /** What judged: `builtin/1, guard/qwen3guard`. */
  readonly label: string
}

/**
 * What the engines of a policy find in these texts, whatever its thresholds: by the builtin detector, and by those the policy asks about
 * the categories. Rejects with Fault `filter-unavailable` where an engine could not judge: an answer without it would look like a verdict.
 */
export async function judgeSegments(
  plan: FilterPlan,
  segments: readonly Segment[],
  { categories, source, signal }: SegmentsQuestion,
  remote: RemoteParts,
): Promise<SegmentsJudgement> {
  const side = source === 'Prompt' ? plan.prompt : plan.completion
  const asked = side.rules.filter(({ category, engines }) => engines.length > 0 && categories.has(category))
  const verdict = await judgeRemotely(
    {
      rules: asked,
      version: plan.version,
      segments,
      source,
      topics: side.topics,
      pace: 'prompt',
      signal,
      builtin: builtinOf({ plan, source }, segments),
    },
    remote,
  )
  if (verdict.failed.length > 0) {
    const names = verdict.failed.flatMap(({ engines }) => engines.map(({ name }) => name))
    throw new Fault('filter-unavailable', `These filter engines could not judge: ${[...new Set(names)].join(', ')}.`)
  }
  const inline = new Set(
    [...categories].filter((category) => !asked.some((rule) => rule.category === category && !rule.usesBuiltin)),
  )
  const worded: Finding[][] = []
  for (const [segment, { role, text }] of segments.entries()) {
    const own = await detectInTurns(plan, text, source, categoriesFor(inline, role))
    worded.push(own.map((finding) => placeIn(finding, segment)))
  }
  return {
    findings: [...worded.flat(), ...compareAll(plan, segments, inline), ...verdict.found.map(({ finding }) => finding)],
    label: writeEngines(
      inline.size > 0 ? { label: plan.detector.label, categories: inline } : undefined,
      asked.flatMap(({ engines }) => engines.map(({ label }) => label)),
    ),
  }
}

/** Overlap is a matter of answers; the documents are those among the segments. */
function compareAll(
  plan: FilterPlan,
  segments: readonly Segment[],
  categories: ReadonlySet<FilterCategory>,
): Finding[] {
  const documents = segments.filter(({ role }) => role === 'document').map(({ text }) => text)
  const comparisons = comparisonsOf(plan, categories, documents)
  return segments.flatMap(({ role, text }, segment) =>
    role === 'assistant'
      ? comparisons.flatMap((compare) => compare(text, 0)).map((finding) => placeIn(finding, segment))
      : [],
  )
}
