import type { AnswerResult } from '../../../core/result.ts'
import {
  type LabelTable,
  makeLabelTable,
  mergeReadings,
  nothingFound,
  type Reading,
  readLabel,
  unreadable,
} from '../reading.ts'
import { contextOf, groupSegments, placeReading, type SegmentGroup } from '../segment-groups.ts'
import { guardCall, type ProfileMaker, readAnswerText } from './guard-profile.ts'
import { plainMessages } from './llama-guard.ts'

/** Unethical acts are more than hate; nothing of ours is nearer. */
const labels = {
  Violent: 'violence',
  'Non-violent Illegal Acts': 'none',
  'Sexual Content or Sexual Acts': 'sexual',
  PII: 'personally_identifiable_information',
  'Personally Identifiable Information': 'personally_identifiable_information',
  'Suicide & Self-Harm': 'self_harm',
  'Unethical Acts': 'hate',
  'Politically Sensitive Topics': 'none',
  'Copyright Violation': 'protected_material_text',
  Jailbreak: 'attack',
} as const

/**
 * What the model calls controversial is low and what it calls unsafe is high, so that a threshold of low is its strict mode, and one of
 * medium or high its loose mode.
 */
const severities: Readonly<Record<string, number>> = { safe: 0, controversial: 3, unsafe: 6 }

/** Qwen3Guard-Gen: plain messages, answered in lines of `Safety:`, `Categories:` and, of answers, `Refusal:`. */
export const makeQwen3Guard: ProfileMaker = (options) => {
  const table = makeLabelTable(labels, options)
  return {
    name: 'qwen3guard',
    buildCalls: (segments, question, maxChars) =>
      groupSegments(segments, question, maxChars).map((group) => ({
        call: guardCall(plainMessages(group, contextOf(segments).query), { maxTokens: 64 }),
        read: (result) => placeReading(group, readQwen3Guard(result, group, table)),
      })),
  }
}

function readQwen3Guard(result: AnswerResult, group: SegmentGroup, table: LabelTable): Reading {
  const { text, isCut } = readAnswerText(result)
  const fields = readFields(text)
  const verdict = fields.get('safety')?.toLowerCase()
  const severity = verdict === undefined ? undefined : severities[verdict]
  if (severity === undefined) throw unreadable('its answer has no line Safety: with a level that is known')
  const names = (fields.get('categories') ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name.toLowerCase() !== 'none')
  if (severity === 0) {
    if (names.length > 0) throw unreadable('its answer says safe and names categories')
    return nothingFound
  }
  // Without the next line nobody knows whether the last name is whole.
  if (isCut && !fields.has('refusal')) names.pop()
  if (names.length === 0) throw unreadable('its answer names no category of what it calls unsafe')
  return mergeReadings(
    names.map((name) => {
      const reading = readLabel(stripNote(name), table, group.attack, { severity })
      if (!reading) throw unreadable('its answer names a category that is not in its taxonomy')
      return reading
    }),
  )
}

/** The lines of the answer; one that is none of the three, or comes twice, makes it unreadable. */
function readFields(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  // Thinking is switched off by the chat template, which leaves its empty tags.
  for (const line of text.replace(/^<think>\s*<\/think>/, '').split('\n')) {
    if (line.trim() === '') continue
    const match = /^\s*(safety|categories|category|refusal)\s*:\s*(.*?)\s*$/i.exec(line)
    const name = match?.[1]?.toLowerCase().replace('category', 'categories')
    if (!match || !name || fields.has(name))
      throw unreadable('its answer has other lines than Safety, Categories and Refusal')
    fields.set(name, match[2] as string)
  }
  return fields
}

/** `PII (Personally Identifiable Information)` is `PII`. */
function stripNote(name: string): string {
  return name.replace(/\s*\([^)]*\)\s*$/, '')
}
