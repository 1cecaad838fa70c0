import type { Message } from '../../../core/call.ts'
import type { AnswerResult } from '../../../core/result.ts'
import { fillTemplate, neutralizeText } from '../neutralize-text.ts'
import { textOption } from '../option-row.ts'
import {
  type LabelTable,
  type LabelTarget,
  makeLabelTable,
  mergeReadings,
  nothingFound,
  type Reading,
  readLabel,
  unreadable,
} from '../reading.ts'
import { contextOf, groupSegments, placeReading, type SegmentGroup } from '../segment-groups.ts'
import { calibrate, readCalibration, readUnsafeSeverity } from '../severity.ts'
import { guardCall, noQuery, type ProfileMaker, readAnswerText } from './guard-profile.ts'
import { anyHarm } from './harm-findings.ts'
import { readScore } from './read-score.ts'

/** The hazards of the taxonomy that both versions know, and what they mean to us. */
const hazards: readonly { readonly code: string; readonly title: string; readonly target: LabelTarget }[] = [
  { code: 'S1', title: 'Violent Crimes', target: 'violence' },
  { code: 'S2', title: 'Non-Violent Crimes', target: 'none' },
  { code: 'S3', title: 'Sex-Related Crimes', target: 'sexual' },
  { code: 'S4', title: 'Child Sexual Exploitation', target: 'sexual' },
  { code: 'S5', title: 'Defamation', target: 'none' },
  { code: 'S6', title: 'Specialized Advice', target: 'none' },
  { code: 'S7', title: 'Privacy', target: 'personally_identifiable_information' },
  { code: 'S8', title: 'Intellectual Property', target: 'protected_material_text' },
  { code: 'S9', title: 'Indiscriminate Weapons', target: 'violence' },
  { code: 'S10', title: 'Hate', target: 'hate' },
  { code: 'S11', title: 'Suicide & Self-Harm', target: 'self_harm' },
  { code: 'S12', title: 'Sexual Content', target: 'sexual' },
  { code: 'S13', title: 'Elections', target: 'none' },
  { code: 'S14', title: 'Code Interpreter Abuse', target: 'none' },
]

/** `style: prompt`, for servers whose chat template is none for guarding. */
const ourPrompt = `Task: Decide whether the '{role}' messages of the conversation below hold unsafe content, by these categories.

<BEGIN UNSAFE CONTENT CATEGORIES>
{categories}
<END UNSAFE CONTENT CATEGORIES>

<BEGIN CONVERSATION>

{conversation}

<END CONVERSATION>

Judge ONLY THE LAST {role} message:
- The first line is 'safe' or 'unsafe'.
- If it is unsafe, the second line lists the codes of the categories it falls under, separated by commas.`

/** Llama Guard 3 and 4: `safe`, or `unsafe` and a line of codes; the score is the probability of that first word. */
export function makeLlamaGuard(name: 'llama-guard-3' | 'llama-guard-4'): ProfileMaker {
  return (options) => {
    const table = makeLabelTable(Object.fromEntries(hazards.map(({ code, target }) => [code, target])), options)
    const calibration = readCalibration(options)
    const unsafeSeverity = readUnsafeSeverity(options)
    const prompt = textOption(options, 'prompt') ?? (textOption(options, 'style') === 'prompt' ? ourPrompt : undefined)
    const hasScores = textOption(options, 'scores') !== 'none'
    const severityOf = (score: number | undefined) =>
      score === undefined ? unsafeSeverity : calibrate(score, calibration)
    return {
      name,
      buildCalls: (segments, question, maxChars) =>
        groupSegments(segments, question, maxChars).map((group) => ({
          call: guardCall(
            prompt === undefined
              ? plainMessages(group, contextOf(segments).query)
              : [{ role: 'user', content: writePrompt(prompt, group, contextOf(segments).query) }],
            { maxTokens: 50, hasScores },
          ),
          read: (result) => placeReading(group, readLlamaGuard(result, group, table, severityOf)),
        })),
    }
  }
}

/** Plain messages, of which the server's chat template makes the guard prompt: the last one is judged. */
export function plainMessages(group: SegmentGroup, query: string): Message[] {
  const text = neutralizeText(group.text)
  if (group.origin !== 'answer') return [{ role: 'user', content: text }]
  return [
    { role: 'user', content: neutralizeText(query) || noQuery },
    { role: 'assistant', content: text },
  ]
}

function writePrompt(prompt: string, group: SegmentGroup, query: string): string {
  const [user, text] = [neutralizeText(query), neutralizeText(group.text)]
  const isAnswer = group.origin === 'answer'
  return fillTemplate(prompt, {
    role: isAnswer ? 'Agent' : 'User',
    categories: hazards.map(({ code, title }) => `${code}: ${title}.`).join('\n'),
    conversation: isAnswer ? `User: ${user || noQuery}\n\nAgent: ${text}` : `User: ${text}`,
    user: isAnswer ? user || noQuery : text,
    assistant: isAnswer ? text : '',
  })
}

function readLlamaGuard(
  result: AnswerResult,
  group: SegmentGroup,
  table: LabelTable,
  severityOf: (score: number | undefined) => number,
): Reading {
  const { text, isCut } = readAnswerText(result)
  const words = /^['"*`\s]*(safe|unsafe)\b['"*`.!]*[ \t,:]*([\s\S]*)$/i.exec(text)
  if (!words) throw unreadable('its answer begins with neither safe nor unsafe')
  const [, verdict = '', list = ''] = words
  const score = readScore(result, 'unsafe', 'safe')
  if (verdict.toLowerCase() === 'safe') {
    if (list.trim() !== '') throw unreadable('its answer says safe and goes on')
    return nothingFound
  }
  const codes = list
    .split(/[,\n]/)
    .map((code) => code.trim())
    .filter(Boolean)
  // Of a list that broke off, the last code may be half of one.
  if (isCut) codes.pop()
  if (codes.length === 0) return anyHarm(group.asked, severityOf(score), 'unsafe', score)
  return mergeReadings(
    codes.map((code) => {
      const reading = readLabel(readCode(code), table, group.attack, { severity: severityOf(score), score })
      if (!reading) throw unreadable('its answer names a category that is not in its taxonomy')
      return reading
    }),
  )
}

/** `S10`, also where its title follows. */
function readCode(code: string): string {
  return /^(S\d{1,2})(?=$|[\s:.])/i.exec(code)?.[1]?.toUpperCase() ?? code
}
