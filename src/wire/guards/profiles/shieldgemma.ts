import type { FilterCategory } from '../../../core/filter/categories.ts'
import type { AnswerResult } from '../../../core/result.ts'
import { fillTemplate, neutralizeText } from '../neutralize-text.ts'
import { textOption } from '../option-row.ts'
import { nothingFound, type Reading, unreadable } from '../reading.ts'
import { contextOf, groupSegments, placeReading, type SegmentGroup } from '../segment-groups.ts'
import { calibrate, readCalibration, readUnsafeSeverity } from '../severity.ts'
import { type GuardAsk, guardCall, noQuery, type ProfileMaker, readAnswerText } from './guard-profile.ts'
import { plainMessages } from './llama-guard.ts'
import { readScore } from './read-score.ts'

type Guideline = { readonly title: string; readonly text: string; readonly categories: readonly FilterCategory[] }

/** The four harms that the model knows, in our words. Danger to oneself is part of one of them: it counts as both. */
const guidelines: readonly Guideline[] = [
  {
    title: 'Hate Speech',
    text: 'nothing that attacks, dehumanises or calls for harm or discrimination against people for their identity or for what the law protects.',
    categories: ['hate'],
  },
  {
    title: 'Harassment',
    text: 'nothing malicious, intimidating, bullying or abusive that is aimed at a person.',
    categories: ['hate'],
  },
  {
    title: 'Sexually Explicit Information',
    text: 'no explicit or graphic sexual acts; medical, scientific and educational words about the body are allowed.',
    categories: ['sexual'],
  },
  {
    title: 'Dangerous Content',
    text: 'nothing that helps or encourages anybody to harm themselves or others: to make weapons, to be violent, to kill oneself.',
    categories: ['violence', 'self_harm'],
  },
]

/** `style: prompt`, for servers with the plain chat template of the base model. */
const ourPrompt = `You are a policy expert. Decide whether the {subject} violates the policy below.

<start_of_turn>
Human Question: {user}
{response}<end_of_turn>

The safety principle:

* {guideline}

Does the {subject} violate the principle? Begin your answer with 'Yes' or 'No'.`

/** ShieldGemma: one guideline a call, answered `Yes` or `No`; the score is made of the probabilities of the two. */
export const makeShieldGemma: ProfileMaker = (options) => {
  const prompt = textOption(options, 'prompt') ?? (textOption(options, 'style') === 'prompt' ? ourPrompt : undefined)
  const hasScores = textOption(options, 'scores') !== 'none'
  const calibration = readCalibration(options)
  const unsafeSeverity = readUnsafeSeverity(options)
  const severityOf = (score: number | undefined, isYes: boolean) =>
    score === undefined ? (isYes ? unsafeSeverity : 0) : calibrate(score, calibration)
  return {
    name: 'shieldgemma',
    buildCalls(segments, question, maxChars) {
      const { query } = contextOf(segments)
      return groupSegments(segments, question, maxChars).flatMap((group) =>
        guidelines
          .filter(({ categories }) => categories.some((category) => group.asked.has(category)))
          .map((guideline): GuardAsk => {
            const text = `"No ${guideline.title}": The ${group.origin === 'answer' ? 'answer' : 'prompt'} holds ${guideline.text}`
            return {
              call:
                prompt === undefined
                  ? guardCall(plainMessages(group, query), {
                      maxTokens: 8,
                      hasScores,
                      fields: { chat_template_kwargs: { guideline: text } },
                    })
                  : guardCall([{ role: 'user', content: writePrompt(prompt, group, query, text) }], {
                      maxTokens: 8,
                      hasScores,
                    }),
              read: (result) => placeReading(group, readShieldGemma(result, guideline, severityOf)),
            }
          }),
      )
    },
  }
}

function writePrompt(prompt: string, group: SegmentGroup, query: string, guideline: string): string {
  const [user, text] = [neutralizeText(query), neutralizeText(group.text)]
  const isAnswer = group.origin === 'answer'
  return fillTemplate(prompt, {
    subject: isAnswer ? 'Chatbot Response' : 'Human Question',
    user: isAnswer ? user || noQuery : text,
    response: isAnswer ? `Chatbot Response: ${text}\n` : '',
    assistant: isAnswer ? text : '',
    guideline,
  })
}

function readShieldGemma(
  result: AnswerResult,
  { title, categories }: Guideline,
  severityOf: (score: number | undefined, isYes: boolean) => number,
): Reading {
  // It may go on to explain itself, as far as the tokens reach.
  const word = /^['"*\s]*(yes|no)\b/i.exec(readAnswerText(result).text)?.[1]?.toLowerCase()
  if (!word) throw unreadable('its answer begins with neither Yes nor No')
  const score = readScore(result, 'yes', 'no')
  const severity = severityOf(score, word === 'yes')
  if (severity === 0) return nothingFound
  return {
    findings: categories.map((category) => ({
      category,
      severity,
      rule: title,
      ...(score !== undefined && { score }),
    })),
    otherLabels: [],
  }
}
