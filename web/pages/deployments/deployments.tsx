import { Badge, Button, SearchBox } from '@fluentui/react-components'
import { AddRegular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import type { DeploymentView } from '../../../src/control/api.ts'
import { deploymentsQuery, liveQuery } from '../../api/queries.ts'
import { useSpeech } from '../../text/text.tsx'
import { Page } from '../../ui/page.tsx'
import { Empty, Loaded } from '../../ui/states.tsx'
import { type Column, Table } from '../../ui/table.tsx'
import { DeployWindow } from './deploy-window.tsx'
import { describeLimits, describeSku } from './describe.ts'

/** Beyond that somebody has to search: a thousand rows are no overview. */
const mostShown = 200

export function Deployments() {
  const speech = useSpeech()
  const { t } = speech
  const { model } = useSearch({ from: '/deployments' })
  const navigate = useNavigate()
  const [isOpen, setOpen] = useState(false)
  const [words, setWords] = useState('')
  const deployments = useQuery(deploymentsQuery)
  const isDeploying = isOpen || model !== undefined

  const deploy = (
    <Button appearance="primary" icon={<AddRegular />} onClick={() => setOpen(true)}>
      {t('deployments.deploy')}
    </Button>
  )
  return (
    <Page title={t('nav.deployments')} intro={t('deployments.intro')} actions={deploy}>
      <Loaded query={deployments}>
        {(list) =>
          list.length === 0 ? (
            <Empty title={t('deployments.none')} text={t('deployments.noneText')}>
              {deploy}
            </Empty>
          ) : (
            <List words={words} onWords={setWords} deployments={list} />
          )
        }
      </Loaded>
      {isDeploying && (
        <DeployWindow
          model={model}
          onClose={() => {
            setOpen(false)
            void navigate({ to: '/deployments', search: {} })
          }}
          onDone={(name) => void navigate({ to: '/deployments/$name', params: { name } })}
        />
      )}
    </Page>
  )
}

type ListProps = {
  readonly words: string
  onWords(words: string): void
  readonly deployments: readonly DeploymentView[]
}

function List({ words, onWords, deployments }: ListProps) {
  const speech = useSpeech()
  const { t, date, number } = speech
  const { data: live = [] } = useQuery(liveQuery)
  const wanted = words.trim().toLowerCase()
  const found = deployments.filter(({ name, model }) => `${name} ${model.name}`.toLowerCase().includes(wanted))
  const columns: readonly Column<DeploymentView>[] = [
    {
      title: t('deployments.name'),
      show: ({ name }) => (
        <Link className="plain-link" to="/deployments/$name" params={{ name }}>
          {name}
        </Link>
      ),
    },
    {
      title: t('deployments.model'),
      show: ({ model, servedVersion }) => (
        <>
          {model.name} <span className="quiet">{servedVersion ?? model.version}</span>
        </>
      ),
    },
    { title: t('deployments.state'), show: (one) => <StateBadge deployment={one} /> },
    { title: t('deployments.sku'), show: (one) => describeSku(one, speech) },
    { title: t('deployments.limits'), show: ({ effectiveLimits }) => describeLimits(effectiveLimits, speech) },
    { title: t('deployments.filter'), show: ({ effectiveRaiPolicyName }) => effectiveRaiPolicyName ?? '' },
    {
      title: t('deployments.retires'),
      show: ({ lifecycle }) => (lifecycle?.retiresAt ? date(lifecycle.retiresAt) : t('deployments.never')),
    },
    {
      title: t('deployments.now'),
      isNumber: true,
      show: ({ name }) => {
        const one = live.find(({ deployment }) => deployment.toLowerCase() === name.toLowerCase())
        return one ? t('usage.perSecond', { count: number(Math.round(one.requestsPerSecond * 10) / 10) }) : '–'
      },
    },
  ]
  return (
    <>
      <div className="filters">
        <SearchBox
          aria-label={t('deployments.search')}
          placeholder={t('deployments.search')}
          value={words}
          onChange={(_event, { value }) => onWords(value)}
        />
        <span className="quiet" role="status">
          {t('state.countOf', { count: number(Math.min(found.length, mostShown)), all: number(deployments.length) })}
        </span>
      </div>
      {found.length === 0 ? (
        <Empty title={t('state.nothingFound')} text={t('state.otherWords')} />
      ) : (
        <Table
          label={t('nav.deployments')}
          columns={columns}
          rows={found.slice(0, mostShown)}
          keyOf={({ name }) => name}
        />
      )}
    </>
  )
}

export function StateBadge({ deployment }: { readonly deployment: DeploymentView }) {
  const { t } = useSpeech()
  const isPaused = deployment.deploymentState === 'Paused'
  return (
    <Badge appearance="tint" color={isPaused ? 'warning' : 'success'}>
      {t(isPaused ? 'deployments.paused' : 'deployments.running')}
    </Badge>
  )
}
