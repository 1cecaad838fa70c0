import { useQuery } from '@tanstack/react-query'
import { liveQuery, recentUsageQuery } from '../../api/queries.ts'
import { useSpeech } from '../../text/text.tsx'
import { ErrorNote } from '../../ui/states.tsx'

/** How much was asked lately, and now. */
export function Activity() {
  const { t, number, language } = useSpeech()
  const recent = useQuery(recentUsageQuery)
  const live = useQuery(liveQuery)
  if (recent.error) return <ErrorNote error={recent.error} onRetry={() => void recent.refetch()} />
  const usage = recent.data?.usage
  const inFlight = (live.data ?? []).reduce((sum, one) => sum + one.inFlight, 0)
  const perSecond = (live.data ?? []).reduce((sum, one) => sum + one.requestsPerSecond, 0)
  const clock = new Intl.DateTimeFormat(language, { timeStyle: 'short' })
  const since = recent.data ? t('overview.sinceTime', { time: clock.format(recent.data.since) }) : ''
  const tiles = [
    { name: t('usage.requests'), value: usage?.requests ?? 0, note: since },
    {
      name: t('usage.tokens'),
      value: (usage?.promptTokens ?? 0) + (usage?.completionTokens ?? 0),
      note: since,
    },
    { name: t('usage.failed'), value: usage?.failed ?? 0, note: since, isBad: true },
    { name: t('usage.refused'), value: usage?.refused ?? 0, note: since, isBad: true },
    {
      name: t('usage.now'),
      value: inFlight,
      note: t('usage.perSecond', { count: number(Math.round(perSecond * 10) / 10) }),
    },
  ]
  return (
    <dl className="tiles" aria-label={t('overview.activity')}>
      {tiles.map(({ name, value, note, isBad }) => (
        <div key={name} className={isBad && value > 0 ? 'tile is-bad' : 'tile'}>
          <dt>{name}</dt>
          <dd>
            <span className="tile-value">{number(value)}</span>
            <span className="tile-note">{note}</span>
          </dd>
        </div>
      ))}
    </dl>
  )
}
