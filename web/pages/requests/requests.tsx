import { Badge, Button, Input, SearchBox, Select } from '@fluentui/react-components'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useDeferredValue, useState } from 'react'
import type { RequestDocument } from '../../../src/control/api.ts'
import { type RequestsFilter, readRequests } from '../../api/queries.ts'
import { ApiError } from '../../api/request.ts'
import { useSpeech } from '../../text/text.tsx'
import { Page } from '../../ui/page.tsx'
import { Empty, Loaded } from '../../ui/states.tsx'
import { type Column, Table } from '../../ui/table.tsx'
import { RequestWindow } from './request-window.tsx'

const noFilter: RequestsFilter = { deployment: '', status: '', text: '' }

/** What was asked, newest first. */
export function Requests() {
  const { t, number } = useSpeech()
  const [filter, setFilter] = useState(noFilter)
  const [opened, setOpened] = useState<string>()
  const wanted = useDeferredValue(filter)
  const requests = useInfiniteQuery({
    queryKey: ['requests', 'list', wanted],
    queryFn: ({ pageParam }) => readRequests(wanted, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextLink }) => nextLink,
    placeholderData: (before) => before,
  })
  const change = (part: Partial<RequestsFilter>) => setFilter((before) => ({ ...before, ...part }))
  if (requests.error instanceof ApiError && requests.error.code === 'RequestLogOff') {
    return (
      <Page title={t('nav.requests')}>
        <Empty title={t('requests.off')} text={requests.error.message} />
      </Page>
    )
  }
  return (
    <Page
      title={t('nav.requests')}
      intro={t('requests.intro')}
      actions={<Button onClick={() => void requests.refetch()}>{t('action.refresh')}</Button>}
    >
      <div className="filters">
        <SearchBox
          aria-label={t('requests.search')}
          placeholder={t('requests.search')}
          value={filter.text}
          onChange={(_event, { value }) => change({ text: value })}
        />
        <Input
          aria-label={t('deployments.one')}
          placeholder={t('deployments.one')}
          value={filter.deployment}
          onChange={(_event, { value }) => change({ deployment: value.trim() })}
        />
        <Select
          aria-label={t('requests.status')}
          value={filter.status}
          onChange={(_event, { value }) => change({ status: value })}
        >
          <option value="">{t('requests.anyStatus')}</option>
          <option value="2xx">2xx</option>
          <option value="4xx">4xx</option>
          <option value="429">429</option>
          <option value="5xx">5xx</option>
        </Select>
      </div>
      <Loaded query={requests}>
        {({ pages }) => {
          const rows = pages.flatMap(({ value }) => value)
          if (rows.length === 0 && !requests.hasNextPage) {
            return <Empty title={t('requests.none')} text={t('requests.noneText')} />
          }
          return <Table label={t('nav.requests')} columns={listColumns()} rows={rows} keyOf={({ id }) => id} />
        }}
      </Loaded>
      {requests.hasNextPage && (
        <div className="more">
          <Button disabled={requests.isFetching} onClick={() => void requests.fetchNextPage()}>
            {t('action.more')}
          </Button>
        </div>
      )}
      {opened !== undefined && <RequestWindow id={opened} onClose={() => setOpened(undefined)} />}
    </Page>
  )

  function listColumns(): readonly Column<RequestDocument>[] {
    return [
      { title: t('activity.when'), show: (one) => <When document={one} /> },
      { title: t('deployments.one'), show: ({ deployment, asked }) => deployment ?? asked ?? '–' },
      { title: t('requests.operation'), show: ({ operation, path }) => operation ?? path },
      { title: t('requests.caller'), show: ({ caller }) => caller ?? '–' },
      { title: t('requests.status'), show: (one) => <StatusBadge document={one} /> },
      {
        title: t('usage.tokens'),
        isNumber: true,
        show: ({ tokens }) => (tokens ? `${number(tokens.prompt)} + ${number(tokens.completion)}` : '–'),
      },
      {
        title: t('requests.firstToken'),
        isNumber: true,
        show: ({ timings }) => (timings.firstTokenMs === undefined ? '–' : `${number(timings.firstTokenMs)} ms`),
      },
      { title: t('requests.total'), isNumber: true, show: ({ timings }) => `${number(timings.totalMs)} ms` },
      {
        title: t('activity.details'),
        show: ({ id }) => (
          <Button size="small" aria-label={t('activity.detailsOf', { what: id })} onClick={() => setOpened(id)}>
            {t('activity.show')}
          </Button>
        ),
      },
    ]
  }
}

function When({ document: { time: at } }: { readonly document: RequestDocument }) {
  const { time } = useSpeech()
  return <span className="nowrap">{time(at)}</span>
}

export function StatusBadge({ document }: { readonly document: RequestDocument }) {
  const { status, code, isLimited, isFiltered } = document
  const color = status < 400 ? (isFiltered ? 'warning' : 'success') : isLimited || status < 500 ? 'warning' : 'danger'
  return (
    <Badge appearance="tint" color={color}>
      {code ? `${status} ${code}` : status}
    </Badge>
  )
}
