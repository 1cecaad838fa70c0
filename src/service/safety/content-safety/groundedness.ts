import { z } from 'zod'
import type { Finding, Segment } from '../../../core/filter/engine.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { ServiceAnswer, ServiceRequest } from '../../../core/service-route.ts'
import { readBody } from '../../../wire/read-body.ts'
import type { Judge } from '../judge.ts'
import { countPoints, maxAnswerPoints, maxSourcePoints, refuse, requireLength } from './limits.ts'
import { respondJudged } from './respond.ts'

const schema = z.strictObject({
  domain: z.enum(['Generic', 'Medical']).nullish(),
  task: z.enum(['QnA', 'Summarization']).nullish(),
  qna: z.strictObject({ query: z.string().nullish() }).nullish(),
  text: z.string(),
  groundingSources: z.array(z.string()).min(1),
  reasoning: z.boolean().nullish(),
  correction: z.boolean().nullish(),
  llmResource: z.looseObject({}).nullish(),
})

/** `POST /contentsafety/text:detectGroundedness`: which parts of an answer its sources do not bear out. */
export async function detectGroundedness(
  { body, signal }: Pick<ServiceRequest, 'body' | 'signal'>,
  judge: Judge,
): Promise<ServiceAnswer> {
  const asked = readBody(schema, body)
  for (const field of ['reasoning', 'correction'] as const) {
    if (asked[field])
      refuse(field, 'got true, expected false: the engines of this server find such parts and do not argue about them')
  }
  const { text, groundingSources: sources } = asked
  requireLength(text, 'text', maxAnswerPoints)
  const query = asked.qna?.query ?? ''
  if (query !== '') requireLength(query, 'qna.query', maxAnswerPoints)
  const total = sources.reduce((sum, source) => sum + countPoints(source), 0)
  if (total > maxSourcePoints)
    refuse('groundingSources', `got ${total} characters together, expected at most ${maxSourcePoints}`)

  const segments: Segment[] = [
    ...(query === '' ? [] : [{ role: 'user', text: query } as const]),
    ...sources.map((source) => ({ role: 'document', text: source }) as const),
    { role: 'assistant', text },
  ]
  const judgement = await judge(segments, {
    categories: new Set(['ungrounded_material']),
    source: 'Completion',
    signal,
  })
  const spans = findSpans(judgement.findings, segments.length - 1, text)
  const share = spans.reduce((sum, { start, end }) => sum + end - start, 0) / text.length
  const answer = {
    ungroundedDetected: spans.length > 0,
    ungroundedPercentage: Math.round(share * 10_000) / 10_000,
    ungroundedDetails: spans.map((span) => writeDetail(text, span)),
  }
  return respondJudged(answer, [judgement])
}

type Span = { readonly start: number; readonly end: number }

/** In the answer, in order and apart from each other. What has no place is about all of it. */
function findSpans(findings: readonly Finding[], answer: number, text: string): readonly Span[] {
  const spans = findings
    .filter(({ category, severity, span }) => {
      return category === 'ungrounded_material' && severity > 0 && (!span || span.segment === answer)
    })
    .map(({ span }) => span ?? { start: 0, end: text.length })
    .sort((a, b) => a.start - b.start)
  const merged: { start: number; end: number }[] = []
  for (const { start, end } of spans) {
    const last = merged.at(-1)
    if (last && start <= last.end) last.end = Math.max(last.end, end)
    else merged.push({ start, end })
  }
  return merged
}

function writeDetail(text: string, { start, end }: Span): JsonObject {
  const part = text.slice(start, end)
  return { text: part, offset: measure(text.slice(0, start)), length: measure(part) }
}

/** Clients count in what their language's texts are made of. */
function measure(text: string): JsonObject {
  return { utf8: Buffer.byteLength(text), utf16: text.length, codePoint: countPoints(text) }
}
