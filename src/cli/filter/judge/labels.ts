import { type FilterCategory, filterCategories, severityLevels } from '../../../core/filter/categories.ts'
import type { Labels } from '../../../core/filter/score.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import type { AskedText } from './analyze.ts'
import { describe, LineProblem, readSource, requireText } from './read-lines.ts'

/** A text and what a person says is in it. */
export type LabelledText = {
  readonly asked: AskedText
  readonly labels: Labels
  /** What sort of line it is, where the file says so: `look-alike`. */
  readonly kind?: string | undefined
}

/** A line of a labelled file. Throws a LineProblem with what is wrong with it. */
export function readLabelled(line: JsonObject): LabelledText {
  const { kind, prompt, documents } = line
  if (kind !== undefined && typeof kind !== 'string') throw new LineProblem(`"kind" is ${describe(kind)}, not a text`)
  if (documents !== undefined && !(Array.isArray(documents) && documents.every((text) => typeof text === 'string'))) {
    throw new LineProblem('"documents" is no list of texts')
  }
  const asked: AskedText = {
    text: requireText(line, 'text'),
    source: readSource(line),
    ...(prompt === undefined ? {} : { prompt: requireText(line, 'prompt') }),
    ...(documents === undefined ? {} : { documents: documents as string[] }),
  }
  return { asked, labels: readLabels(line.labels), kind }
}

function readLabels(labels: Json | undefined): Labels {
  if (labels === undefined) throw new LineProblem('"labels" is missing; of a text in which nothing is they are {}')
  if (!isJsonObject(labels)) throw new LineProblem(`"labels" is ${describe(labels)}, not an object`)
  for (const [category, label] of Object.entries(labels)) {
    if (!isCategory(category)) {
      throw new LineProblem(`"${category}" is no category; allowed are ${Object.keys(filterCategories).join(', ')}`)
    }
    if (typeof label === 'boolean') continue
    const isLeveled = filterCategories[category].kind === 'severity'
    if (isLeveled && (severityLevels as readonly Json[]).includes(label)) continue
    const allowed = isLeveled ? `${severityLevels.join(', ')}, true or false` : 'true or false'
    throw new LineProblem(`the label "${category}" is ${describe(label)}, not ${allowed}`)
  }
  return labels as Labels
}

function isCategory(name: string): name is FilterCategory {
  return Object.hasOwn(filterCategories, name)
}

/** What annotations say is in a text: a level where there are levels, else true. */
export function readFound(results: JsonObject): Labels {
  const found: { [category in FilterCategory]?: Labels[FilterCategory] } = {}
  for (const [category, annotation] of Object.entries(results)) {
    if (!isCategory(category) || !isJsonObject(annotation)) continue
    const { severity, detected, filtered, details } = annotation
    const level = severityLevels.find((known) => known === severity)
    const isFound = detected === true || filtered === true || (Array.isArray(details) && details.length > 0)
    found[category] = level ?? isFound
  }
  return found
}
