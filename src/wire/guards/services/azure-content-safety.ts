import type { FilterCategory } from '../../../core/filter/categories.ts'
import type { Finding, Question, Segment } from '../../../core/filter/engine.ts'
import type { JsonObject } from '../../../core/json.ts'
import { type EngineOptions, textOption, textsOption } from '../option-row.ts'
import { type Reading, unreadable } from '../reading.ts'
import { contextOf, groupSegments, placeReading, type SegmentGroup, spanIn, splitText } from '../segment-groups.ts'
import { binarySeverity } from '../severity.ts'
import { booleanAt, objectAt, objectsAt, optionalObjectsAt, refuseError, textAt } from './read-field.ts'
import { bearer, readAddress, type SafetyService, type ServiceAsk } from './safety-service.ts'

/** Only this version has them. */
const previewVersion = '2024-09-15-preview'

const harmNames: Readonly<Partial<Record<FilterCategory, string>>> = {
  hate: 'Hate',
  sexual: 'Sexual',
  violence: 'Violence',
  self_harm: 'SelfHarm',
}
const harms = Object.entries(harmNames) as [FilterCategory, string][]

/** What the operations take, in characters. Protected text is found in no less than the shortest. */
const limits = {
  documents: 5,
  documentChars: 10_000,
  shortestProtected: 110,
  protectedChars: 1000,
  groundedChars: 7500,
  sourceChars: 55_000,
}

/** Azure AI Content Safety: for each category the operation that knows it, and no others. */
export function createAzureContentSafety(url: string, apiVersion: string, options: EngineOptions): SafetyService {
  const { origin, path } = readAddress(url)
  // Resources are named by their endpoint, with and without the part that all operations share.
  const base = path.endsWith('/contentsafety') ? path : `${path}/contentsafety`
  const pathOf = (operation: string, version = apiVersion) => `${base}/text:${operation}?api-version=${version}`
  const blocklists = textsOption(options, 'blocklists')
  return {
    origin,
    label: `azure-content-safety/${apiVersion}`,
    auth:
      textOption(options, 'auth') === 'bearer'
        ? bearer
        : { kind: 'header', name: 'ocp-apim-subscription-key', prefix: '' },
    buildRequests(segments, question, maxChars) {
      const groups = groupSegments(segments, question, maxChars)
      return [
        ...groups.flatMap((group) => askAnalyze(group, blocklists, pathOf('analyze'))),
        ...askShield(groups, pathOf('shieldPrompt')),
        ...groups.flatMap((group) => askProtectedText(group, pathOf('detectProtectedMaterial'))),
        ...groups.flatMap((group) => askProtectedCode(group, pathOf('detectProtectedMaterialForCode', previewVersion))),
        ...groups.flatMap((group) =>
          askGrounded(group, segments, question, pathOf('detectGroundedness', previewVersion)),
        ),
      ]
    },
  }
}

/** The harms, and the lists kept at the service. */
function askAnalyze(group: SegmentGroup, blocklists: readonly string[], path: string): ServiceAsk[] {
  const asked = harms.filter(([category]) => group.asked.has(category))
  const hasLists = group.asked.has('custom_blocklists') && blocklists.length > 0
  if (asked.length === 0 && !hasLists) return []
  const body: JsonObject = { text: group.text, outputType: 'EightSeverityLevels', haltOnBlocklistHit: false }
  // No name at all means every category, so lists alone ask for one too many.
  body.categories = asked.length > 0 ? asked.map(([, name]) => name) : ['Hate']
  if (hasLists) body.blocklistNames = [...blocklists]
  return [{ path, body, read: (answer) => placeReading(group, readAnalyze(answer, asked)) }]
}

function readAnalyze(answer: JsonObject, asked: readonly [FilterCategory, string][]): Reading {
  refuseError(answer)
  const analysis = new Map<string, unknown>()
  for (const row of objectsAt(answer, 'categoriesAnalysis')) analysis.set(textAt(row, 'category'), row.severity)
  const findings: Finding[] = []
  for (const [category, name] of asked) {
    const severity = analysis.get(name)
    if (!Number.isInteger(severity) || (severity as number) < 0 || (severity as number) > 7) {
      throw unreadable(`its answer has no severity of ${name}`)
    }
    if ((severity as number) > 1) findings.push({ category, severity: severity as number, rule: name })
  }
  for (const match of optionalObjectsAt(answer, 'blocklistsMatch')) {
    const { blocklistItemId: item } = match
    findings.push({
      category: 'custom_blocklists',
      severity: binarySeverity,
      id: textAt(match, 'blocklistName'),
      rule: typeof item === 'string' ? item : 'blocklist',
    })
  }
  return { findings, otherLabels: [] }
}

/** The caller's words and quoted documents in as few requests as the limits allow. */
function askShield(groups: readonly SegmentGroup[], path: string): ServiceAsk[] {
  const prompts = groups.filter(({ asked }) => asked.has('jailbreak'))
  const quoted = groups
    .filter(({ asked }) => asked.has('indirect_attack'))
    .flatMap(({ parts, text }) =>
      parts.map((part) => ({ ...part, text: text.slice(part.start, part.start + part.length) })),
    )
  const batches: (typeof quoted)[] = []
  let chars = 0
  for (const document of quoted) {
    const batch = batches.at(-1)
    if (!batch || batch.length === limits.documents || chars + document.length > limits.documentChars) {
      batches.push([document])
      chars = document.length
    } else {
      batch.push(document)
      chars += document.length
    }
  }
  return Array.from({ length: Math.max(prompts.length, batches.length) }, (_, index): ServiceAsk => {
    const [prompt, documents = []] = [prompts[index], batches[index]]
    return {
      path,
      body: {
        ...(prompt && { userPrompt: prompt.text }),
        ...(documents.length > 0 && { documents: documents.map(({ text }) => text) }),
      },
      read(answer) {
        refuseError(answer)
        const findings: Finding[] = []
        if (prompt && booleanAt(objectAt(answer, 'userPromptAnalysis'), 'attackDetected')) {
          findings.push({ category: 'jailbreak', severity: binarySeverity, rule: 'userPromptAnalysis' })
        }
        const analyses = documents.length > 0 ? objectsAt(answer, 'documentsAnalysis') : []
        if (analyses.length < documents.length) throw unreadable('its answer leaves documents out')
        for (const [at, { segment, length }] of documents.entries()) {
          if (!booleanAt(analyses[at] as JsonObject, 'attackDetected')) continue
          const span = { segment, start: 0, end: length }
          findings.push({ category: 'indirect_attack', severity: binarySeverity, rule: 'documentsAnalysis', span })
        }
        return { findings, otherLabels: [] }
      },
    }
  })
}

/** In pieces that overlap by the shortest passage that is ever found. */
function askProtectedText(group: SegmentGroup, path: string): ServiceAsk[] {
  if (!group.asked.has('protected_material_text') || group.text.length < limits.shortestProtected) return []
  return splitText(group.text, limits.protectedChars, limits.shortestProtected * 2)
    .filter(({ text }) => text.length >= limits.shortestProtected)
    .map(({ start, text }) => ({
      path,
      body: { text },
      read(answer): Reading {
        refuseError(answer)
        if (!booleanAt(objectAt(answer, 'protectedMaterialAnalysis'), 'detected'))
          return { findings: [], otherLabels: [] }
        const span = spanIn(group, start, start + text.length)
        return {
          findings: [
            {
              category: 'protected_material_text',
              severity: binarySeverity,
              rule: 'protectedMaterialAnalysis',
              ...(span && { span }),
            },
          ],
          otherLabels: [],
        }
      },
    }))
}

/** With the first citation, in the shape that annotations have. */
function askProtectedCode(group: SegmentGroup, path: string): ServiceAsk[] {
  if (!group.asked.has('protected_material_code')) return []
  return [
    {
      path,
      body: { code: group.text },
      read(answer): Reading {
        refuseError(answer)
        const analysis = objectAt(answer, 'protectedMaterialAnalysis')
        if (!booleanAt(analysis, 'detected')) return { findings: [], otherLabels: [] }
        const [citation] = optionalObjectsAt(analysis, 'codeCitations')
        const [address] = Array.isArray(citation?.sourceUrls) ? citation.sourceUrls : []
        return {
          findings: [
            {
              category: 'protected_material_code',
              severity: binarySeverity,
              rule: 'protectedMaterialAnalysis',
              ...(citation && {
                annotation: {
                  citation: {
                    ...(typeof address === 'string' && { URL: address }),
                    ...(typeof citation.license === 'string' && { license: citation.license }),
                  },
                },
              }),
            },
          ],
          otherLabels: [],
        }
      },
    },
  ]
}

/** Nothing is ungrounded without documents. Sources are compared with each piece of the answer whole. */
function askGrounded(
  group: SegmentGroup,
  segments: readonly Segment[],
  { categories }: Question,
  path: string,
): ServiceAsk[] {
  const { query, documents } = contextOf(segments)
  if (!categories.has('ungrounded_material') || !group.asked.has('ungrounded_material') || documents.length === 0)
    return []
  if (documents.reduce((sum, { length }) => sum + length, 0) > limits.sourceChars) {
    throw unreadable(`it takes no more than ${limits.sourceChars} characters of documents to compare with`)
  }
  const task: JsonObject =
    query !== '' && query.length <= limits.groundedChars ? { task: 'QnA', qna: { query } } : { task: 'Summarization' }
  return splitText(group.text, limits.groundedChars, 0).map(({ start, text }) => ({
    path,
    body: { domain: 'Generic', ...task, text, groundingSources: [...documents], reasoning: false },
    read(answer): Reading {
      refuseError(answer)
      if (!booleanAt(answer, 'ungroundedDetected')) return { findings: [], otherLabels: [] }
      const rule = 'ungroundedDetails'
      const findings = optionalObjectsAt(answer, 'ungroundedDetails').map(({ offset, length }): Finding => {
        const [from, size] = [utf16Of(offset), utf16Of(length)]
        const span =
          from === undefined || size === undefined ? undefined : spanIn(group, start + from, start + from + size)
        return { category: 'ungrounded_material', severity: binarySeverity, rule, ...(span && { span }) }
      })
      const whole: Finding = { category: 'ungrounded_material', severity: binarySeverity, rule }
      return { findings: findings.length > 0 ? findings : [whole], otherLabels: [] }
    },
  }))
}

/** Offsets are told in three units. */
function utf16Of(value: unknown): number | undefined {
  const units = typeof value === 'object' && value !== null ? (value as JsonObject).utf16 : undefined
  return typeof units === 'number' ? units : undefined
}
