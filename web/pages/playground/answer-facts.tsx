import { Badge, Button } from '@fluentui/react-components'
import { useState } from 'react'
import { listRequestSamples } from '../../samples/samples.ts'
import { type Speech, useSpeech } from '../../text/text.tsx'
import { CodeTabs } from '../../ui/code-block.tsx'
import type { Annotations, Answer } from './stream-chat.ts'

/** What an answer took, what the filters said of it, and what went over the line. */
export function AnswerFacts({ answer, request }: { readonly answer: Answer; readonly request: object }) {
  const speech = useSpeech()
  const { t } = speech
  const [isOpen, setOpen] = useState(false)
  if (answer.totalMs === undefined) return null
  const findings = [...listFindings(answer.promptFilter), ...listFindings(answer.answerFilter)]
  const isFiltered = answer.finishReason === 'content_filter'
  return (
    <div className="answer-facts">
      <div className="row">
        {listFacts(answer, speech).map((fact) => (
          <span key={fact} className="quiet">
            {fact}
          </span>
        ))}
        {isFiltered && (
          <Badge appearance="tint" color="danger">
            {t('playground.cut')}
          </Badge>
        )}
        {findings.map(({ name, said, isBlocked }) => (
          <Badge key={`${name}${said}`} appearance="tint" color={isBlocked ? 'danger' : 'warning'}>
            {name}: {said}
          </Badge>
        ))}
        <Button size="small" appearance="subtle" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {t(isOpen ? 'playground.hideRaw' : 'playground.showRaw')}
        </Button>
      </div>
      {isOpen && (
        <CodeTabs
          samples={[
            { id: 'request', title: t('playground.request'), code: JSON.stringify(request, null, 2) },
            { id: 'response', title: t('playground.response'), code: answer.raw },
            {
              id: 'filters',
              title: t('playground.filters'),
              code: JSON.stringify({ prompt: answer.promptFilter ?? {}, answer: answer.answerFilter ?? {} }, null, 2),
            },
            ...listRequestSamples(location.origin, request),
          ]}
        />
      )}
    </div>
  )
}

/** What came in one piece, as from behind a filter, says nothing about the model's pace. */
const leastGeneratingMs = 50

function listFacts(answer: Answer, { t, number }: Speech): readonly string[] {
  const { promptTokens, completionTokens, firstTokenMs, totalMs = 0 } = answer
  const generatingMs = totalMs - (firstTokenMs ?? 0)
  const perSecond =
    completionTokens && generatingMs >= leastGeneratingMs ? (completionTokens * 1000) / generatingMs : undefined
  return [
    promptTokens !== undefined &&
      t('playground.tokens', { prompt: number(promptTokens), answer: number(completionTokens ?? 0) }),
    firstTokenMs !== undefined && t('playground.firstToken', { ms: number(Math.round(firstTokenMs)) }),
    perSecond !== undefined && t('playground.speed', { count: number(Math.round(perSecond)) }),
    t('playground.total', { ms: number(Math.round(totalMs)) }),
  ].filter((fact) => fact !== false)
}

/** Of the annotations, those that found something. */
function listFindings(
  annotations: Annotations | undefined,
): readonly { name: string; said: string; isBlocked: boolean }[] {
  return Object.entries(annotations ?? {}).flatMap(([name, { filtered, detected, severity }]) => {
    const isBlocked = filtered === true
    if (!isBlocked && detected !== true && (severity === undefined || severity === 'safe')) return []
    return [{ name, said: typeof severity === 'string' ? severity : isBlocked ? 'filtered' : 'detected', isBlocked }]
  })
}
