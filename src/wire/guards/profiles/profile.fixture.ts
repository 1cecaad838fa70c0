import type { TokenLogprob } from '../../../core/event.ts'
import { Fault } from '../../../core/fault.ts'
import type { FilterCategory, FilterSource } from '../../../core/filter/categories.ts'
import type { Question, Segment, Topic } from '../../../core/filter/engine.ts'
import type { AnswerResult, Choice } from '../../../core/result.ts'
import type { EngineOptions } from '../option-row.ts'
import type { ProfileName } from '../profile-kinds.ts'
import { guardProfiles } from '../profile-kinds.ts'
import { mergeReadings, type Reading } from '../reading.ts'
import { createProfile } from './create-profile.ts'
import type { GuardAsk } from './guard-profile.ts'

export const user = (text: string): Segment => ({ role: 'user', text })
export const assistant = (text: string): Segment => ({ role: 'assistant', text })
export const document = (text: string): Segment => ({ role: 'document', text })

export function ask(
  categories: Iterable<FilterCategory>,
  source: FilterSource = 'Prompt',
  topics: readonly Topic[] = [],
): Question {
  return { categories: new Set(categories), source, topics, signal: new AbortController().signal }
}

export function result(text: string | null, more: Partial<Choice> = {}): AnswerResult {
  return { kind: 'chat', choices: [{ index: 0, text, finishReason: 'stop', ...more }] }
}

/** The calls a profile makes, asked for all it can judge. */
export function callsOf(
  name: ProfileName,
  segments: readonly Segment[],
  {
    options = {},
    source = 'Prompt',
    topics = [],
  }: { options?: EngineOptions; source?: FilterSource; topics?: Topic[] } = {},
): readonly GuardAsk[] {
  return createProfile(name, options).buildCalls(segments, ask(guardProfiles[name].categories, source, topics), 8000)
}

/** What every call of the profile's reads of one answer; "refused" where it takes the answer for nonsense. */
export function readAll(asks: readonly GuardAsk[], answer: AnswerResult): Reading | 'refused' {
  try {
    return mergeReadings(asks.map(({ read }) => read(answer)))
  } catch (error) {
    if (error instanceof Fault && error.code === 'upstream-failed') return 'refused'
    throw error
  }
}

/** `hate:4 violence:7 +S2`: categories with severities, and labels that are none. */
export function summarize(reading: Reading | 'refused'): string {
  if (reading === 'refused') return reading
  const findings = reading.findings.map(({ category, severity, id }) => `${category}${id ? `(${id})` : ''}:${severity}`)
  return [...findings, ...reading.otherLabels.map((label) => `+${label}`)].join(' ')
}

/** A token with its probability and that of others in its place. */
export function token(text: string, chance: number, others: Readonly<Record<string, number>> = {}): TokenLogprob {
  const all = Object.entries({ [text]: chance, ...others })
  return {
    token: text,
    logprob: Math.log(chance),
    bytes: null,
    top: all.map(([each, value]) => ({ token: each, logprob: Math.log(value), bytes: null })),
  }
}
