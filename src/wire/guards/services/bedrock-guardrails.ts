import type { Finding, Segment } from '../../../core/filter/engine.ts'
import type { JsonObject } from '../../../core/json.ts'
import { type EngineOptions, textOption } from '../option-row.ts'
import { type LabelTable, makeLabelTable, mergeReadings, type Reading, readLabel, unreadable } from '../reading.ts'
import { contextOf, groupSegments, placeReading, type SegmentGroup } from '../segment-groups.ts'
import { binarySeverity } from '../severity.ts'
import { accessKeyPattern } from './access-key.ts'
import { asScore, objectsAt, optionalObjectAt, optionalObjectsAt, refuseError, textAt } from './read-field.ts'
import { bearer, readAddress, type SafetyService } from './safety-service.ts'

const filters = {
  HATE: 'hate',
  INSULTS: 'hate',
  SEXUAL: 'sexual',
  VIOLENCE: 'violence',
  MISCONDUCT: 'none',
  PROMPT_ATTACK: 'attack',
} as const

/** The service tells how sure it is; what it is sure of counts as severe. */
const severities: Readonly<Record<string, number>> = { NONE: 0, LOW: 2, MEDIUM: 4, HIGH: 6 }

/** A guardrail of Amazon Bedrock, applied to texts without a model. */
export function createBedrockGuardrails(
  url: string | undefined,
  credential: string | undefined,
  options: EngineOptions,
): SafetyService {
  const region = textOption(options, 'region') ?? ''
  const { origin, path } = readAddress(url ?? `https://bedrock-runtime.${region}.amazonaws.com`)
  const [id, version] = [textOption(options, 'guardrailId') ?? '', textOption(options, 'guardrailVersion') ?? 'DRAFT']
  const table = makeLabelTable(filters, options)
  const place = `${path}/guardrail/${encodeURIComponent(id)}/version/${encodeURIComponent(version)}/apply`
  return {
    origin,
    label: `bedrock-guardrails/${version}`,
    auth: accessKeyPattern.test(credential ?? '') ? { kind: 'signature', region, service: 'bedrock' } : bearer,
    buildRequests: (segments, question, maxChars) =>
      groupSegments(segments, question, maxChars).map((group) => ({
        path: place,
        body: {
          source: group.origin === 'answer' ? 'OUTPUT' : 'INPUT',
          content: writeContent(group, segments),
        },
        read: (answer) => placeReading(group, readAssessments(answer, group, table)),
      })),
  }
}

/** Where grounding is asked for, the documents and the question go along, each called what it is. */
function writeContent(group: SegmentGroup, segments: readonly Segment[]): JsonObject[] {
  const { query, documents } = contextOf(segments)
  if (!group.asked.has('ungrounded_material') || documents.length === 0) return [{ text: { text: group.text } }]
  const qualified = (text: string, qualifier: string): JsonObject => ({ text: { text, qualifiers: [qualifier] } })
  return [
    ...documents.map((text) => qualified(text, 'grounding_source')),
    ...(query === '' ? [] : [qualified(query, 'query')]),
    qualified(group.text, 'guard_content'),
  ]
}

function readAssessments(answer: JsonObject, group: SegmentGroup, table: LabelTable): Reading {
  refuseError(answer)
  const action = textAt(answer, 'action')
  if (action !== 'NONE' && action !== 'GUARDRAIL_INTERVENED')
    throw unreadable('its answer has an action that is not known')
  const reading = mergeReadings(objectsAt(answer, 'assessments').map((each) => readAssessment(each, group, table)))
  if (action === 'GUARDRAIL_INTERVENED' && reading.findings.length + reading.otherLabels.length === 0) {
    throw unreadable('it intervened and names nothing that it found')
  }
  return reading
}

function readAssessment(assessment: JsonObject, group: SegmentGroup, table: LabelTable): Reading {
  const readings: Reading[] = []
  const found = (finding: Finding) => readings.push({ findings: [finding], otherLabels: [] })
  const entries = (policy: string, list: string) =>
    optionalObjectsAt(optionalObjectAt(assessment, policy) ?? {}, list).filter(isDetected)
  for (const filter of entries('contentPolicy', 'filters')) {
    const severity = severities[textAt(filter, 'confidence')]
    if (severity === undefined) throw unreadable('its answer has a confidence that is not known')
    if (severity === 0) continue
    const type = textAt(filter, 'type')
    readings.push(readLabel(type, table, group.attack, { severity }) ?? { findings: [], otherLabels: [type] })
  }
  for (const topic of entries('topicPolicy', 'topics')) {
    const id = textAt(topic, 'name')
    found({ category: 'custom_topics', severity: binarySeverity, id, rule: 'topicPolicy' })
  }
  for (const list of entries('wordPolicy', 'managedWordLists')) {
    const type = textAt(list, 'type')
    if (type === 'PROFANITY') found({ category: 'profanity', severity: binarySeverity, rule: type })
    else readings.push({ findings: [], otherLabels: [type] })
  }
  // The word itself is the caller's text and stays out of the finding.
  if (entries('wordPolicy', 'customWords').length > 0) {
    found({ category: 'custom_blocklists', severity: binarySeverity, id: 'customWords', rule: 'wordPolicy' })
  }
  for (const entity of entries('sensitiveInformationPolicy', 'piiEntities')) {
    const id = textAt(entity, 'type')
    found({ category: 'personally_identifiable_information', severity: binarySeverity, id, rule: 'piiEntities' })
  }
  for (const pattern of entries('sensitiveInformationPolicy', 'regexes')) {
    const { name } = pattern
    const id = typeof name === 'string' ? name : 'regex'
    found({ category: 'personally_identifiable_information', severity: binarySeverity, id, rule: 'regexes' })
  }
  for (const filter of entries('contextualGroundingPolicy', 'filters')) {
    const type = textAt(filter, 'type')
    const score = asScore(filter.score)
    if (filter.action === 'NONE' && filter.detected !== true) continue
    if (type !== 'GROUNDING') readings.push({ findings: [], otherLabels: [type] })
    // Theirs is the share that is grounded.
    else {
      found({
        category: 'ungrounded_material',
        severity: binarySeverity,
        rule: type,
        ...(score !== undefined && { score: 1 - score }),
      })
    }
  }
  return mergeReadings(readings)
}

/** Entries may be told that were looked for and not found. */
function isDetected(entry: JsonObject): boolean {
  return entry.detected !== false
}
