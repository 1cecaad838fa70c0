import type { FilterCategory } from '../../../core/filter/categories.ts'
import type { Finding, Question, Topic } from '../../../core/filter/engine.ts'
import type { AnswerResult } from '../../../core/result.ts'
import { numberOption, textOption } from '../option-row.ts'
import { guardProfiles } from '../profile-kinds.ts'
import { type Reading, unreadable } from '../reading.ts'
import { contextOf, groupSegments, placeReading, type SegmentGroup } from '../segment-groups.ts'
import { binarySeverity } from '../severity.ts'
import { type GuardAsk, guardCall, type ProfileMaker, readAnswerText } from './guard-profile.ts'
import { harms } from './harm-findings.ts'
import { fieldsOf, writePolicy, writeSchema } from './judge-policy.ts'
import { readAnswerJson } from './read-answer-json.ts'

/** What a judge can be asked, whatever model it is. */
const canJudge: ReadonlySet<FilterCategory> = new Set(guardProfiles.judge.categories)

/** Any chat deployment as judge: our policy, an answer by JSON Schema, severities of 0 to 7. */
export const makeJudge: ProfileMaker = (options) => {
  const maxTokens = numberOption(options, 'maxTokens') ?? 300
  return {
    name: 'judge',
    buildCalls: (segments, question, maxChars) =>
      judgeGroups(groupSegments(segments, question, maxChars), question).map(({ group, asked, topics }): GuardAsk => {
        const schema = writeSchema(asked, topics)
        return {
          call: guardCall(
            [
              { role: 'system', content: writePolicy(asked, topics, group.origin, textOption(options, 'policy')) },
              { role: 'user', content: writeMaterial(group, contextOf(segments).query) },
            ],
            { maxTokens, responseFormat: { type: 'json_schema', name: 'judgement', schema, strict: true } },
          ),
          read: (result) => placeReading(group, readJudgement(readAnswerText(result).text, asked, topics)),
        }
      }),
  }
}

/** gpt-oss-safeguard: the same policy, which the model reasons over; it answers in its own format, with the JSON at the end. */
export const makeSafeguard: ProfileMaker = (options) => {
  const maxTokens = numberOption(options, 'maxTokens') ?? 1024
  const effort = textOption(options, 'reasoningEffort') ?? 'low'
  return {
    name: 'gpt-oss-safeguard',
    buildCalls: (segments, question, maxChars) =>
      judgeGroups(groupSegments(segments, question, maxChars), question).map(
        ({ group, asked, topics }): GuardAsk => ({
          call: guardCall(
            [
              { role: 'system', content: writePolicy(asked, topics, group.origin, textOption(options, 'policy')) },
              { role: 'user', content: writeMaterial(group, contextOf(segments).query) },
            ],
            { maxTokens, fields: { reasoning_effort: effort } },
          ),
          read: (result) => placeReading(group, readJudgement(finalPart(result), asked, topics)),
        }),
      ),
  }
}

type JudgeGroup = { group: SegmentGroup; asked: ReadonlySet<FilterCategory>; topics: readonly Topic[] }

/** Groups of which something is asked that a judge can tell; topics are asked for where there are any. */
function judgeGroups(groups: readonly SegmentGroup[], { topics }: Question): JudgeGroup[] {
  return groups.flatMap((group) => {
    const asked = new Set(
      [...group.asked].filter(
        (category) => canJudge.has(category) && (category !== 'custom_topics' || topics.length > 0),
      ),
    )
    return asked.size > 0 ? [{ group, asked, topics: asked.has('custom_topics') ? topics : [] }] : []
  })
}

/** The text as a JSON string: no word in it can end it. Angle brackets are escaped, so that no control token is in it either. */
function writeMaterial(group: SegmentGroup, query: string): string {
  const material = group.origin === 'answer' && query !== '' ? { asked: query, text: group.text } : { text: group.text }
  return JSON.stringify(material).replace(
    /[<>[\]|]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** What follows the thoughts, where the server leaves the model's channels in the text. */
function finalPart(result: AnswerResult): string {
  const { text } = readAnswerText(result)
  const marker = '<|channel|>final'
  const at = text.lastIndexOf(marker)
  if (at < 0) return text
  const message = text.indexOf('<|message|>', at)
  if (message < 0) throw unreadable('its answer ends before its final message')
  return text.slice(message + '<|message|>'.length).replace(/<\|(?:return|end)\|>\s*$/, '')
}

function readJudgement(text: string, asked: ReadonlySet<FilterCategory>, topics: readonly Topic[]): Reading {
  const answer = readAnswerJson(text)
  const findings = fieldsOf(asked).flatMap((field): Finding[] => {
    const value = answer[field]
    if (field === 'topics') return readTopics(value, topics)
    const category = field as FilterCategory
    if (harms.includes(category)) {
      if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 7) {
        throw unreadable(`its answer has no ${field} of 0 to 7`)
      }
      return (value as number) > 1 ? [{ category, severity: value as number, rule: 'judge' }] : []
    }
    if (typeof value !== 'boolean') throw unreadable(`its answer has no ${field} of true or false`)
    return value ? [{ category, severity: binarySeverity, rule: 'judge' }] : []
  })
  return { findings, otherLabels: [] }
}

function readTopics(value: unknown, topics: readonly Topic[]): Finding[] {
  if (!Array.isArray(value)) throw unreadable('its answer has no list of topics')
  const known = new Set(topics.map(({ name }) => name))
  return [...new Set(value)].map((name) => {
    if (typeof name !== 'string' || !known.has(name))
      throw unreadable('its answer names a topic that was not asked for')
    return { category: 'custom_topics', severity: binarySeverity, id: name, rule: name }
  })
}
