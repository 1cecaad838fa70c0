import { z } from 'zod'
import type { FilterCategory } from '../../../core/filter/categories.ts'
import type { Segment } from '../../../core/filter/engine.ts'
import type { ServiceAnswer, ServiceRequest } from '../../../core/service-route.ts'
import { readBody } from '../../../wire/read-body.ts'
import type { Judge } from '../judge.ts'
import { worstSeverity } from './analyze-text.ts'
import { countPoints, maxDocuments, maxTextPoints, refuse, requireLength } from './limits.ts'
import { respondJudged } from './respond.ts'

const schema = z.strictObject({
  userPrompt: z.string().nullish(),
  documents: z.array(z.string()).nullish(),
})

/** `POST /contentsafety/text:shieldPrompt`: whether a prompt, or a document that goes with it, wants to turn the model against its orders. */
export async function shieldPrompt(
  { body, signal }: Pick<ServiceRequest, 'body' | 'signal'>,
  judge: Judge,
): Promise<ServiceAnswer> {
  const { userPrompt, documents } = readBody(schema, body)
  const texts = documents ?? []
  if (!userPrompt && texts.length === 0) refuse('userPrompt', 'missing, expected a text here, or some in documents')
  if (userPrompt) requireLength(userPrompt, 'userPrompt', maxTextPoints)
  checkDocuments(texts)

  const ask = (category: FilterCategory, segment: Segment) =>
    judge([segment], { categories: new Set([category]), source: 'Prompt', signal })
  const [ofPrompt, ...ofDocuments] = await Promise.all([
    userPrompt ? ask('jailbreak', { role: 'user', text: userPrompt }) : undefined,
    ...texts.map((text) => ask('indirect_attack', { role: 'document', text })),
  ])
  const answer = {
    ...(ofPrompt && { userPromptAnalysis: { attackDetected: worstSeverity(ofPrompt.findings, 'jailbreak') > 0 } }),
    documentsAnalysis: ofDocuments.map((judgement) => ({
      attackDetected: judgement !== undefined && worstSeverity(judgement.findings, 'indirect_attack') > 0,
    })),
  }
  return respondJudged(
    answer,
    [ofPrompt, ...ofDocuments].filter((judgement) => judgement !== undefined),
  )
}

function checkDocuments(texts: readonly string[]): void {
  if (texts.length > maxDocuments) refuse('documents', `got ${texts.length} items, expected at most ${maxDocuments}`)
  for (const [index, text] of texts.entries()) requireLength(text, `documents[${index}]`, maxTextPoints)
  const total = texts.reduce((sum, text) => sum + countPoints(text), 0)
  if (total > maxTextPoints) refuse('documents', `got ${total} characters together, expected at most ${maxTextPoints}`)
}
