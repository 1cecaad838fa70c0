import type { Finding } from '../../../core/filter/engine.ts'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import { type EngineOptions, textOption } from '../option-row.ts'
import {
  type LabelTable,
  type LabelTarget,
  labelKey,
  makeLabelTable,
  mergeReadings,
  type Reading,
  readLabel,
  unreadable,
} from '../reading.ts'
import { groupSegments, placeReading, type SegmentGroup } from '../segment-groups.ts'
import { type Calibration, calibrate, defaultUnsafeSeverity, readCalibration } from '../severity.ts'
import { asScore, booleanAt, objectsAt, refuseError } from './read-field.ts'
import { bearer, readAddress, type SafetyService } from './safety-service.ts'

/** What the labels mean. Harassment is hate of one person; help with violent crime is violence. */
const labels: Readonly<Record<string, LabelTarget>> = {
  hate: 'hate',
  'hate/threatening': 'hate',
  harassment: 'hate',
  'harassment/threatening': 'hate',
  illicit: 'none',
  'illicit/violent': 'violence',
  'self-harm': 'self_harm',
  'self-harm/intent': 'self_harm',
  'self-harm/instructions': 'self_harm',
  sexual: 'sexual',
  'sexual/minors': 'sexual',
  violence: 'violence',
  'violence/graphic': 'violence',
}

/** Further labels that a server of the same shape may give: our own names among them. */
const furtherLabels: Readonly<Record<string, LabelTarget>> = {
  toxicity: 'hate',
  jailbreak: 'attack',
  'prompt-injection': 'attack',
  'indirect-attack': 'indirect_attack',
  profanity: 'profanity',
  pii: 'personally_identifiable_information',
  'personally-identifiable-information': 'personally_identifiable_information',
}

/** Flagged at all, these are severe. */
const severe: ReadonlySet<string> = new Set(['sexual/minors'])

/** OpenAI's moderations; `url` is the base, before `/moderations`. */
export function createOpenAIModerations(url: string, options: EngineOptions): SafetyService {
  const { origin, path } = readAddress(url)
  const model = textOption(options, 'model') ?? 'omni-moderation-latest'
  return {
    origin,
    label: `openai-moderations/${model}`,
    auth: bearer,
    buildRequests: makeBuilder(`${path}/moderations`, model, makeLabelTable(labels, options), options, false),
  }
}

/** A server of the operator's own that answers as those do; `url` is the whole address. */
export function createHttpModerations(url: string, hasCredential: boolean, options: EngineOptions): SafetyService {
  const { origin, pathname, search } = new URL(url)
  const model = textOption(options, 'model')
  const auth = textOption(options, 'auth') ?? 'bearer'
  const table = makeLabelTable({ ...labels, ...furtherLabels }, options)
  return {
    origin,
    label: model === undefined ? 'http' : `http/${model}`,
    auth: !hasCredential ? { kind: 'none' } : auth === 'bearer' ? bearer : { kind: 'header', name: auth, prefix: '' },
    buildRequests: makeBuilder(pathname + search, model, table, options, true),
  }
}

/** One request for all texts: the answer has a result for each. */
function makeBuilder(
  path: string,
  model: string | undefined,
  table: LabelTable,
  options: EngineOptions,
  isOpen: boolean,
): SafetyService['buildRequests'] {
  const calibration = readCalibration(options)
  return (segments, question, maxChars) => {
    const groups = groupSegments(segments, question, maxChars)
    if (groups.length === 0) return []
    const input = groups.map(({ text }) => text)
    return [
      {
        path,
        body: { ...(model !== undefined && { model }), input: input.length === 1 ? (input[0] as string) : input },
        read(answer) {
          refuseError(answer)
          const results = objectsAt(answer, 'results')
          if (results.length !== groups.length) throw unreadable('its answer has not one result for each text')
          return mergeReadings(
            results.map((result, index) =>
              readResult(result, groups[index] as SegmentGroup, table, calibration, isOpen),
            ),
          )
        },
      },
    ]
  }
}

/**
 * What is flagged is at least of medium severity, whatever its score: the service knows its own thresholds. Labels that nobody knows
 * are told as they are; `isOpen` servers may have any.
 */
function readResult(
  result: JsonObject,
  group: SegmentGroup,
  table: LabelTable,
  calibration: Calibration,
  isOpen: boolean,
): Reading {
  const isFlagged = booleanAt(result, 'flagged')
  const { categories, category_scores: scores = {} } = result
  if (!isJsonObject(categories) || !isJsonObject(scores)) throw unreadable('its answer has no categories')
  const readings: Reading[] = []
  for (const [label, flag] of Object.entries(categories)) {
    // Null is a category that the model does not judge.
    if (flag === null) continue
    if (typeof flag !== 'boolean') throw unreadable('its answer has a category that is neither true nor false')
    const score = asScore(scores[label])
    const severity = Math.max(
      flag ? (severe.has(label) ? 6 : defaultUnsafeSeverity) : 0,
      score === undefined ? 0 : calibrate(score, calibration),
    )
    if (severity === 0) continue
    const reading = readLabel(label, table, group.attack, { severity, score })
    if (reading) readings.push(reading)
    else if (flag) readings.push({ findings: [], otherLabels: [label] })
  }
  checkJudged(categories, table, isOpen)
  const reading = mergeReadings(readings)
  const hasFlag = Object.values(categories).includes(true)
  if (isFlagged && !hasFlag) throw unreadable('its answer flags a text and no category of it')
  return placeReading(group, { findings: mostSevere(reading.findings), otherLabels: reading.otherLabels })
}

/** An answer that holds not one label we know has judged nothing. */
function checkJudged(categories: JsonObject, table: LabelTable, isOpen: boolean): void {
  const hasKnown = Object.keys(categories).some((label) => table.has(labelKey(label)))
  if (!hasKnown && !(isOpen && Object.keys(categories).length > 0)) {
    throw unreadable('its answer judges no category that is known')
  }
}

/** Of several labels that mean one category, the one that says most. */
function mostSevere(findings: readonly Finding[]): readonly Finding[] {
  const best = new Map<string, Finding>()
  for (const finding of findings) {
    const key = `${finding.category} ${finding.id ?? ''}`
    const other = best.get(key)
    const isMore =
      !other ||
      finding.severity > other.severity ||
      (finding.severity === other.severity && (finding.score ?? 0) > (other.score ?? 0))
    if (isMore) best.set(key, finding)
  }
  return [...best.values()]
}
