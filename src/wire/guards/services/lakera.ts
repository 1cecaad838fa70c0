import type { JsonObject } from '../../../core/json.ts'
import { type EngineOptions, textOption } from '../option-row.ts'
import {
  type LabelTable,
  makeLabelTable,
  mergeReadings,
  nothingFound,
  type Reading,
  readLabel,
  unreadable,
} from '../reading.ts'
import { codePointSpanIn, groupSegments, placeReading, type SegmentGroup } from '../segment-groups.ts'
import { booleanAt, objectsAt, optionalObjectsAt, refuseError, textAt } from './read-field.ts'
import { bearer, readAddress, type SafetyService } from './safety-service.ts'

/** Detectors by name; below `pii/` is the type of personal data. */
const labels = {
  prompt_attack: 'attack',
  'moderated_content/hate': 'hate',
  'moderated_content/sexual': 'sexual',
  'moderated_content/violence': 'violence',
  'moderated_content/weapons': 'violence',
  'moderated_content/self_harm': 'self_harm',
  'moderated_content/profanity': 'profanity',
  'moderated_content/crime': 'none',
  pii: 'personally_identifiable_information',
  unknown_links: 'none',
} as const

/** What the project's policy lets a detector report is of medium severity, and high where it is sure. */
const detectedSeverity = 4
const sureSeverity = 6

/** Lakera Guard, by the policy of a project. */
export function createLakera(url: string, options: EngineOptions): SafetyService {
  const { origin, path } = readAddress(url)
  const projectId = textOption(options, 'projectId')
  const table = makeLabelTable(labels, options)
  return {
    origin,
    label: 'lakera/v2',
    auth: bearer,
    // The service judges the last message alone, so each text is one.
    buildRequests: (segments, question, maxChars) =>
      groupSegments(segments, question, maxChars).map((group) => ({
        path: `${path}/v2/guard`,
        body: {
          messages: [{ role: group.origin === 'answer' ? 'assistant' : 'user', content: group.text }],
          ...(projectId !== undefined && { project_id: projectId }),
          breakdown: true,
          payload: true,
        },
        read: (answer) => placeReading(group, readGuard(answer, group, table)),
      })),
  }
}

function readGuard(answer: JsonObject, group: SegmentGroup, table: LabelTable): Reading {
  refuseError(answer)
  const isFlagged = booleanAt(answer, 'flagged')
  const detectors = objectsAt(answer, 'breakdown')
  if (detectors.length === 0) throw unreadable('its answer says of no detector that it ran')
  const matches = optionalObjectsAt(answer, 'payload')
  const reading = mergeReadings(
    detectors.map((detector) =>
      booleanAt(detector, 'detected') ? readDetector(detector, matches, group, table) : nothingFound,
    ),
  )
  if (isFlagged && reading.findings.length + reading.otherLabels.length === 0) {
    throw unreadable('it flags a text and names nothing that it found')
  }
  return reading
}

function readDetector(
  detector: JsonObject,
  matches: readonly JsonObject[],
  group: SegmentGroup,
  table: LabelTable,
): Reading {
  const type = textAt(detector, 'detector_type')
  const { result } = detector
  const severity = typeof result === 'string' && /^l[12]_/i.test(result) ? sureSeverity : detectedSeverity
  const id = type.startsWith('pii/') ? type.slice('pii/'.length) : undefined
  const places = matches
    .filter((match) => match.detector_type === type)
    .flatMap(({ start, end }) => codePointSpanIn(group, Number(start), Number(end)) ?? [])
  const readings = (places.length > 0 ? places : [undefined]).map(
    (span) => readLabel(lookUp(type, table), table, group.attack, { severity, span, id }) ?? unknown(type),
  )
  return mergeReadings(
    readings.map((reading) => ({ ...reading, findings: reading.findings.map((each) => ({ ...each, rule: type })) })),
  )
}

/** A detector by its name, or by what stands before the slash. */
function lookUp(type: string, table: LabelTable): string {
  const family = type.split('/', 1)[0] as string
  return readLabel(type, table, undefined, { severity: 0 }) ? type : family
}

function unknown(type: string): Reading {
  return { findings: [], otherLabels: [type] }
}
