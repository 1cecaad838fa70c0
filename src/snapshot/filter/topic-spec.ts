import { z } from 'zod'
import { type DocumentProblem, parseDocument } from '../../core/text/parse-document.ts'
import { filterNameSchema } from './policy-spec.ts'

/** A topic of the operator's own: what an engine is asked to look for, and sentences that are about it. */
export const topicSchema = z.strictObject({
  name: filterNameSchema,
  description: z.string().min(1).max(1000),
  examples: z.array(z.string().min(1).max(1000)).max(100).default([]),
})

export type TopicSpec = z.output<typeof topicSchema>
export type TopicInput = z.input<typeof topicSchema>

export function readTopic(
  input: unknown,
): { readonly spec: TopicSpec } | { readonly problems: readonly DocumentProblem[] } {
  const parsed = parseDocument(topicSchema, input)
  return 'problems' in parsed ? parsed : { spec: parsed.data }
}
