import type { Finding } from '../../../core/filter/engine.ts'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
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
import { groupSegments, placeReading, type SegmentGroup } from '../segment-groups.ts'
import { binarySeverity } from '../severity.ts'
import { objectAt, optionalObjectAt, optionalObjectsAt, refuseError, textAt } from './read-field.ts'
import { readAddress, type SafetyService } from './safety-service.ts'

const labels = {
  hate_speech: 'hate',
  harassment: 'hate',
  sexually_explicit: 'sexual',
  dangerous: 'violence',
  csam: 'sexual',
  pi_and_jailbreak: 'attack',
  malicious_uris: 'none',
  virus_scan: 'none',
} as const

/** The service tells how sure it is at least; of filters without it, a match is a match. */
const severities: Readonly<Record<string, number>> = { LOW_AND_ABOVE: 2, MEDIUM_AND_ABOVE: 4, HIGH: 6 }
const certainSeverity = 6

/** A template of Google Cloud's Model Armor. Undefined `url` is the endpoint of the template's location. */
export function createModelArmor(url: string | undefined, options: EngineOptions): SafetyService {
  const template = textOption(options, 'template') ?? ''
  const location = template.split('/')[3] ?? ''
  const { origin, path } = readAddress(url ?? `https://modelarmor.${location}.rep.googleapis.com`)
  const table = makeLabelTable(labels, options)
  return {
    origin,
    label: 'model-armor',
    auth: { kind: 'token', scope: 'https://www.googleapis.com/auth/cloud-platform' },
    buildRequests: (segments, question, maxChars) =>
      groupSegments(segments, question, maxChars).map((group) => {
        const isAnswer = group.origin === 'answer'
        return {
          path: `${path}/v1/${template}:${isAnswer ? 'sanitizeModelResponse' : 'sanitizeUserPrompt'}`,
          body: { [isAnswer ? 'modelResponseData' : 'userPromptData']: { text: group.text } },
          read: (answer) => placeReading(group, readSanitization(answer, group, table)),
        }
      }),
  }
}

function readSanitization(answer: JsonObject, group: SegmentGroup, table: LabelTable): Reading {
  refuseError(answer)
  const result = objectAt(answer, 'sanitizationResult')
  const state = readState(result.filterMatchState)
  const { invocationResult } = result
  // "Partial" is that some filters did not run: what they would have said, nobody knows.
  if (invocationResult !== undefined && invocationResult !== 'SUCCESS') throw unreadable('not all of its filters ran')
  const reading = mergeReadings(listFilters(result).map(([name, filter]) => readFilter(name, filter, group, table)))
  if (state && reading.findings.length + reading.otherLabels.length === 0) {
    throw unreadable('it matched and names nothing that it found')
  }
  return reading
}

/** Each is wrapped once more, under a name of its own; older answers have a list of them. */
function listFilters(result: JsonObject): [name: string, filter: JsonObject][] {
  const { filterResults } = result
  const named: [string, unknown][] = Array.isArray(filterResults)
    ? filterResults.flatMap((each) => (isJsonObject(each) ? Object.entries(each) : [['', each] as [string, unknown]]))
    : isJsonObject(filterResults)
      ? Object.entries(filterResults)
      : []
  if (named.length === 0) throw unreadable('its answer has no results of filters')
  return named.map(([name, value]) => {
    if (!isJsonObject(value)) throw unreadable('its answer has a filter without a result')
    const [inner, ...others] = Object.entries(value)
    const isWrapped =
      others.length === 0 && inner !== undefined && /FilterResult$/.test(inner[0]) && isJsonObject(inner[1])
    return [filterName(name), isWrapped ? (inner[1] as JsonObject) : value]
  })
}

function filterName(name: string): string {
  const names: Readonly<Record<string, string>> = {
    raiFilterResult: 'rai',
    sdpFilterResult: 'sdp',
    piAndJailbreakFilterResult: 'pi_and_jailbreak',
    maliciousUriFilterResult: 'malicious_uris',
    csamFilterFilterResult: 'csam',
    virusScanFilterResult: 'virus_scan',
  }
  return names[name] ?? name
}

function readFilter(name: string, filter: JsonObject, group: SegmentGroup, table: LabelTable): Reading {
  if (name === 'sdp') return readSensitive(filter)
  if (filter.executionState === 'EXECUTION_SKIPPED') throw unreadable('not all of its filters ran')
  if (!readState(filter.matchState)) return nothingFound
  if (name !== 'rai') return readMatch(name, filter, group, table)
  const types = objectAt(filter, 'raiFilterTypeResults')
  const readings = Object.entries(types).map(([type, each]) => {
    if (!isJsonObject(each)) throw unreadable('its answer has a filter without a result')
    return readState(each.matchState) ? readMatch(type, each, group, table) : nothingFound
  })
  return mergeReadings(readings)
}

function readMatch(name: string, filter: JsonObject, group: SegmentGroup, table: LabelTable): Reading {
  const { confidenceLevel } = filter
  const severity =
    typeof confidenceLevel === 'string' ? (severities[confidenceLevel] ?? certainSeverity) : certainSeverity
  return readLabel(name, table, group.attack, { severity }) ?? { findings: [], otherLabels: [name] }
}

/** Personal data, told by type; with de-identification only by its types. */
function readSensitive(filter: JsonObject): Reading {
  const [inspect, deidentify] = [
    optionalObjectAt(filter, 'inspectResult'),
    optionalObjectAt(filter, 'deidentifyResult'),
  ]
  const result = inspect ?? deidentify
  if (!result) throw unreadable('its answer has a filter without a result')
  if (result.executionState === 'EXECUTION_SKIPPED') throw unreadable('not all of its filters ran')
  if (!readState(result.matchState)) return nothingFound
  const types = inspect
    ? optionalObjectsAt(inspect, 'findings').map((each) => textAt(each, 'infoType'))
    : (Array.isArray(result.infoTypes) ? result.infoTypes : []).filter((type) => typeof type === 'string')
  const findings = [...new Set(types)].map((id): Finding => sensitive(id))
  return { findings: findings.length > 0 ? findings : [sensitive(undefined)], otherLabels: [] }
}

function sensitive(id: string | undefined): Finding {
  return {
    category: 'personally_identifiable_information',
    severity: binarySeverity,
    rule: 'sdp',
    ...(id !== undefined && { id }),
  }
}

function readState(state: unknown): boolean {
  if (state === 'MATCH_FOUND') return true
  if (state !== 'NO_MATCH_FOUND') throw unreadable('its answer does not say whether a filter matched')
  return false
}
