import type { JsonObject } from '../../../core/json.ts'
import type { ServiceAnswer } from '../../../core/service-route.ts'
import type { Judgement } from '../judge.ts'

/** An answer that tells in a header what judged, as those of models do. */
export function respondJudged(body: JsonObject, judgements: readonly Judgement[]): ServiceAnswer {
  const labels = [...new Set(judgements.map(({ label }) => label))]
  return {
    status: 200,
    body,
    headers: labels.length > 0 ? { 'x-content-filter-engine': labels.join(', ') } : undefined,
  }
}
