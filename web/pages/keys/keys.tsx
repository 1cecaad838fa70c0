import { Badge, Button } from '@fluentui/react-components'
import { AddRegular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { NamedKeyView } from '../../../src/control/api.ts'
import { namedKeysQuery } from '../../api/queries.ts'
import { type Speech, useSpeech } from '../../text/text.tsx'
import { Page } from '../../ui/page.tsx'
import { Empty, Loaded } from '../../ui/states.tsx'
import { type Column, Table } from '../../ui/table.tsx'
import { CreateKeyWindow, SecretWindow } from './create-key-window.tsx'
import { DeleteKeyWindow, RevokeKeyWindow, RotateKeyWindow } from './key-windows.tsx'

type Opened =
  | { readonly kind: 'create' }
  | { readonly kind: 'secret'; readonly secret: string; readonly name: string }
  | { readonly kind: 'rotate' | 'revoke' | 'delete'; readonly key: NamedKeyView }

const statusColors = { active: 'success', expired: 'warning', revoked: 'danger' } as const

/** Keys beside the resource's two: for a person, a team, a program. */
export function Keys() {
  const { t } = useSpeech()
  const [opened, setOpened] = useState<Opened>()
  const keys = useQuery(namedKeysQuery)
  const close = () => setOpened(undefined)
  const showSecret = (name: string, secret: string) => setOpened({ kind: 'secret', name, secret })
  const create = (
    <Button appearance="primary" icon={<AddRegular />} onClick={() => setOpened({ kind: 'create' })}>
      {t('keys.create')}
    </Button>
  )
  return (
    <Page
      title={t('nav.keys')}
      intro={
        <>
          {t('keys.intro')} <Link to="/">{t('nav.overview')}</Link>.
        </>
      }
      actions={create}
    >
      <Loaded query={keys}>
        {(list) =>
          list.length === 0 ? (
            <Empty title={t('keys.none')} text={t('keys.noneText')}>
              {create}
            </Empty>
          ) : (
            <KeyTable keys={list} onOpen={setOpened} />
          )
        }
      </Loaded>
      {opened?.kind === 'create' && <CreateKeyWindow onSecret={showSecret} onClose={close} />}
      {opened?.kind === 'secret' && <SecretWindow name={opened.name} secret={opened.secret} onClose={close} />}
      {opened?.kind === 'rotate' && <RotateKeyWindow target={opened.key} onSecret={showSecret} onClose={close} />}
      {opened?.kind === 'revoke' && <RevokeKeyWindow target={opened.key} onClose={close} />}
      {opened?.kind === 'delete' && <DeleteKeyWindow target={opened.key} onClose={close} />}
    </Page>
  )
}

type TableProps = { readonly keys: readonly NamedKeyView[]; onOpen(opened: Opened): void }

function KeyTable({ keys, onOpen }: TableProps) {
  const speech = useSpeech()
  const { t, date } = speech
  const columns: readonly Column<NamedKeyView>[] = [
    { title: t('keys.name'), show: ({ name }) => <strong>{name}</strong> },
    { title: t('keys.owner'), show: ({ owner }) => owner || '–' },
    {
      title: t('keys.status'),
      show: ({ status }) => (
        <Badge appearance="tint" color={statusColors[status]}>
          {t(`keys.${status}`)}
        </Badge>
      ),
    },
    {
      title: t('keys.deployments'),
      show: ({ deployments }) => (deployments === 'all' ? t('keys.all') : deployments.join(', ')),
    },
    { title: t('deployments.limits'), show: (key) => describeLimits(key, speech) },
    { title: t('keys.expires'), show: ({ expiresAt }) => (expiresAt ? date(expiresAt) : t('deployments.never')) },
    {
      title: t('keys.actions'),
      show: (key) => (
        <span className="row">
          {key.status !== 'revoked' && (
            <>
              <Button
                size="small"
                aria-label={t('keys.rotateOf', { name: key.name })}
                onClick={() => onOpen({ kind: 'rotate', key })}
              >
                {t('keys.rotate')}
              </Button>
              <Button
                size="small"
                aria-label={t('keys.revokeOf', { name: key.name })}
                onClick={() => onOpen({ kind: 'revoke', key })}
              >
                {t('keys.revoke')}
              </Button>
            </>
          )}
          <Button
            size="small"
            appearance="subtle"
            className="danger-text"
            aria-label={t('keys.deleteOf', { name: key.name })}
            onClick={() => onOpen({ kind: 'delete', key })}
          >
            {t('action.delete')}
          </Button>
        </span>
      ),
    },
  ]
  return <Table label={t('nav.keys')} columns={columns} rows={keys} keyOf={({ name }) => name} />
}

function describeLimits(key: NamedKeyView, { t, number }: Speech): string {
  const parts = [
    key.tokensPerMinute !== undefined && `${number(key.tokensPerMinute)} ${t('limits.tokens')} ${t('limits.aMinute')}`,
    key.requestsPerMinute !== undefined &&
      `${number(key.requestsPerMinute)} ${t('limits.requests')} ${t('limits.aMinute')}`,
    ...key.budgets.map(({ unit, period, limit }) =>
      t(period === 'day' ? 'keys.budgetDay' : 'keys.budgetMonth', {
        limit: number(limit),
        unit: t(unit === 'tokens' ? 'limits.tokens' : 'keys.cost'),
      }),
    ),
  ].filter((part) => part !== false)
  return parts.length > 0 ? parts.join(', ') : t('limits.none')
}
