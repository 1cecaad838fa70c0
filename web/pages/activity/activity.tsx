import { Badge, Button, SearchBox } from '@fluentui/react-components'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useDeferredValue, useState } from 'react'
import type { AuditView } from '../../../src/control/api.ts'
import { readAudit } from '../../api/queries.ts'
import { useSpeech } from '../../text/text.tsx'
import { CodeBlock } from '../../ui/code-block.tsx'
import { Facts, Page } from '../../ui/page.tsx'
import { Empty, Loaded } from '../../ui/states.tsx'
import { type Column, Table } from '../../ui/table.tsx'
import { Window } from '../../ui/window.tsx'

/** Who changed what, or tried to. */
export function Activity() {
  const { t, time } = useSpeech()
  const [words, setWords] = useState('')
  const [opened, setOpened] = useState<AuditView>()
  const target = useDeferredValue(words.trim())
  const entries = useInfiniteQuery({
    queryKey: ['audit', target],
    queryFn: ({ pageParam }) => readAudit({ action: '', target }, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextLink }) => nextLink,
    placeholderData: (before) => before,
  })
  const columns: readonly Column<AuditView>[] = [
    { title: t('activity.when'), show: ({ at }) => time(at) },
    { title: t('activity.who'), show: ({ actor }) => actor.name || actor.id },
    { title: t('activity.what'), show: ({ action }) => <span className="mono">{action}</span> },
    { title: t('activity.target'), show: ({ target: path }) => <span className="mono">{path}</span> },
    {
      title: t('activity.result'),
      show: ({ status, code }) => (
        <Badge appearance="tint" color={status < 400 ? 'success' : 'danger'}>
          {code ? `${status} ${code}` : status}
        </Badge>
      ),
    },
    {
      title: t('activity.details'),
      show: (entry) => (
        <Button
          size="small"
          aria-label={t('activity.detailsOf', { what: entry.action })}
          onClick={() => setOpened(entry)}
        >
          {t('activity.show')}
        </Button>
      ),
    },
  ]
  return (
    <Page title={t('nav.activity')} intro={t('activity.intro')}>
      <div className="filters">
        <SearchBox
          aria-label={t('activity.search')}
          placeholder={t('activity.search')}
          value={words}
          onChange={(_event, { value }) => setWords(value)}
        />
      </div>
      <Loaded query={entries}>
        {({ pages }) => {
          const rows = pages.flatMap(({ value }) => value)
          if (rows.length === 0) return <Empty title={t('activity.none')} text={t('activity.noneText')} />
          return <Table label={t('nav.activity')} columns={columns} rows={rows} keyOf={({ id }) => id} />
        }}
      </Loaded>
      {entries.hasNextPage && (
        <div className="more">
          <Button disabled={entries.isFetching} onClick={() => void entries.fetchNextPage()}>
            {t('action.more')}
          </Button>
        </div>
      )}
      {opened && <EntryWindow entry={opened} onClose={() => setOpened(undefined)} />}
    </Page>
  )
}

function EntryWindow({ entry, onClose }: { readonly entry: AuditView; readonly onClose: () => void }) {
  const { t, time } = useSpeech()
  return (
    <Window title={entry.action} isWide onClose={onClose}>
      <div className="stack">
        <Facts
          rows={[
            [t('activity.when'), time(entry.at)],
            [t('activity.who'), `${entry.actor.name} (${entry.actor.kind})`],
            [t('activity.address'), entry.address],
            [t('activity.target'), entry.target],
            [t('activity.result'), entry.code ? `${entry.status} ${entry.code}` : String(entry.status)],
            [t('activity.requestId'), entry.requestId],
          ]}
        />
        {entry.before !== undefined && (
          <>
            <h3>{t('activity.before')}</h3>
            <CodeBlock label={t('activity.before')} code={JSON.stringify(entry.before, null, 2)} />
          </>
        )}
        {entry.after !== undefined && (
          <>
            <h3>{t('activity.after')}</h3>
            <CodeBlock label={t('activity.after')} code={JSON.stringify(entry.after, null, 2)} />
          </>
        )}
      </div>
    </Window>
  )
}
