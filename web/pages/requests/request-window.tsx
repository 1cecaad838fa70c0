import { useQuery } from '@tanstack/react-query'
import type { RequestView } from '../../../src/control/api.ts'
import { requestQuery } from '../../api/queries.ts'
import { type Speech, useSpeech } from '../../text/text.tsx'
import { CodeBlock } from '../../ui/code-block.tsx'
import { Facts } from '../../ui/page.tsx'
import { Loaded } from '../../ui/states.tsx'
import { Window } from '../../ui/window.tsx'
import { StatusBadge } from './requests.tsx'

/** One request: what came of it, why, and what took how long. */
export function RequestWindow({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const { t } = useSpeech()
  const query = useQuery(requestQuery(id))
  return (
    <Window title={t('requests.one')} isWide onClose={onClose}>
      <Loaded query={query}>{(document) => <Details document={document} />}</Loaded>
    </Window>
  )
}

function Details({ document }: { readonly document: RequestView }) {
  const speech = useSpeech()
  const { t, time } = speech
  return (
    <div className="stack">
      <div className="row">
        <StatusBadge document={document} />
        <span className="mono">{`${document.method} ${document.path}`}</span>
      </div>
      {document.message !== undefined && <p className="reason">{document.message}</p>}
      <Waterfall document={document} />
      <Facts
        rows={[
          [t('requests.id'), document.id],
          [t('activity.when'), time(document.time)],
          [t('deployments.one'), document.deployment ?? document.asked ?? '–'],
          [t('deployments.model'), [document.model, document.modelVersion].filter(Boolean).join(' ') || '–'],
          [t('requests.caller'), document.caller ?? '–'],
          [t('activity.address'), document.address ?? '–'],
          [t('requests.backend'), document.backend ?? '–'],
          [t('usage.tokens'), describeTokens(document, speech)],
        ]}
      />
      {document.limits && document.limits.length > 0 && (
        <>
          <h3>{t('requests.limits')}</h3>
          <CodeBlock label={t('requests.limits')} code={JSON.stringify(document.limits, null, 2)} />
        </>
      )}
      {document.findings && document.findings.length > 0 && (
        <>
          <h3>{t('requests.findings')}</h3>
          <CodeBlock label={t('requests.findings')} code={JSON.stringify(document.findings, null, 2)} />
        </>
      )}
      {document.sent && (
        <>
          <h3>{t('requests.sent')}</h3>
          <CodeBlock label={t('requests.sent')} code={JSON.stringify(document.sent, null, 2)} />
        </>
      )}
      {document.content && (
        <>
          <h3>{t('requests.content')}</h3>
          <CodeBlock label={t('requests.content')} code={JSON.stringify(document.content, null, 2)} />
        </>
      )}
      {!document.isCaptured && <p className="quiet">{t('requests.notCaptured')}</p>}
    </div>
  )
}

function describeTokens({ tokens }: RequestView, { t, number }: Speech): string {
  if (!tokens) return '–'
  return t('playground.tokens', { prompt: number(tokens.prompt), answer: number(tokens.completion) })
}

/** Each stretch of time as a bar below the one before. */
function Waterfall({ document: { timings } }: { readonly document: RequestView }) {
  const { t, number } = useSpeech()
  const { queueMs = 0, firstTokenMs, totalMs } = timings
  const first = firstTokenMs ?? totalMs
  const bars = [
    { name: t('requests.queue'), from: 0, to: queueMs },
    { name: t('requests.untilFirst'), from: queueMs, to: first },
    { name: t('requests.answering'), from: first, to: totalMs },
  ].filter(({ from, to }) => to > from)
  const whole = Math.max(totalMs, 1)
  return (
    <div className="waterfall">
      {bars.map(({ name, from, to }) => (
        <div key={name} className="waterfall-row">
          <span>{name}</span>
          <svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
            <rect x={(from / whole) * 1000} width={Math.max(4, ((to - from) / whole) * 1000)} height="10" rx="2" />
          </svg>
          <span className="number">{number(Math.round((to - from) * 10) / 10)} ms</span>
        </div>
      ))}
    </div>
  )
}
