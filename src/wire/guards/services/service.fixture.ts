import { Fault } from '../../../core/fault.ts'
import type { FilterCategory, FilterSource } from '../../../core/filter/categories.ts'
import type { Finding, Question, Segment } from '../../../core/filter/engine.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { EngineOptions } from '../option-row.ts'
import { mergeReadings } from '../reading.ts'
import { type ServiceKind, serviceKinds } from '../service-kinds.ts'
import { createService, type ServiceSettings } from './create-service.ts'
import type { ServiceAsk } from './safety-service.ts'

export const user = (text: string): Segment => ({ role: 'user', text })
export const assistant = (text: string): Segment => ({ role: 'assistant', text })
export const document = (text: string): Segment => ({ role: 'document', text })

export type AskOptions = {
  readonly categories?: readonly FilterCategory[]
  readonly source?: FilterSource
  readonly options?: EngineOptions
  readonly url?: string
  readonly credential?: string
}

const urls: Partial<Record<ServiceKind, string>> = {
  'azure-content-safety': 'https://unit.cognitiveservices.azure.com',
  http: 'https://guard.example.com/check?tenant=1',
}

export const settingsOf = (kind: ServiceKind, { options = {}, url, credential }: AskOptions): ServiceSettings => ({
  url: url ?? urls[kind],
  apiVersion: undefined,
  credential: credential ?? 'key',
  options,
})

/** The requests of a service, asked for all it can judge unless told otherwise. */
export function requestsOf(
  kind: ServiceKind,
  segments: readonly Segment[],
  given: AskOptions = {},
): readonly ServiceAsk[] {
  const question: Question = {
    categories: new Set(given.categories ?? serviceKinds[kind].categories),
    source: given.source ?? 'Prompt',
    topics: [],
    signal: new AbortController().signal,
  }
  return createService(kind, settingsOf(kind, given)).buildRequests(segments, question, serviceKinds[kind].maxChars)
}

/** What one request reads of an answer. */
export function findingsOf(ask: ServiceAsk | undefined, answer: unknown): readonly Finding[] {
  return ask?.read(answer as JsonObject).findings ?? []
}

/** What all requests read of one answer, in short: `hate:4 +illicit`; "refused" for nonsense. */
export function readAs(asks: readonly ServiceAsk[], answer: unknown): string {
  try {
    const { findings, otherLabels } = mergeReadings(asks.map(({ read }) => read(answer as JsonObject)))
    const written = findings.map(({ category, severity, id }) => `${category}${id ? `(${id})` : ''}:${severity}`)
    return [...written, ...otherLabels.map((label) => `+${label}`)].join(' ')
  } catch (error) {
    if (error instanceof Fault && error.code === 'upstream-failed') return 'refused'
    throw error
  }
}
