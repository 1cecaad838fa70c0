import { Button, MessageBar, MessageBarBody } from '@fluentui/react-components'
import {
  ChatRegular,
  DeleteRegular,
  EditRegular,
  PauseRegular,
  PlayRegular,
  PlugConnectedRegular,
} from '@fluentui/react-icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import type { DeploymentView, ProbeView } from '../../../src/control/api.ts'
import { deploymentQuery, deploymentsQuery, refresh } from '../../api/queries.ts'
import { managementPath, request } from '../../api/request.ts'
import { listSamples } from '../../samples/samples.ts'
import { type Speech, useSpeech } from '../../text/text.tsx'
import { Ask } from '../../ui/ask.tsx'
import { CodeTabs } from '../../ui/code-block.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { Facts, Page, Section } from '../../ui/page.tsx'
import { ErrorNote, Loaded } from '../../ui/states.tsx'
import { StateBadge } from './deployments.tsx'
import { describeLimits, describeSku, isEmbedding } from './describe.ts'
import { EditWindow } from './edit-window.tsx'

const openaiVersion = '2024-10-21'
const inferenceVersion = '2024-05-01-preview'

export function DeploymentPage() {
  const { t } = useSpeech()
  const { name } = useParams({ from: '/deployments/$name' })
  const deployment = useQuery(deploymentQuery(name))
  return (
    <>
      <Link to="/deployments" className="back plain-link">
        ← {t('nav.deployments')}
      </Link>
      <Loaded query={deployment}>{(data) => <Details deployment={data} />}</Loaded>
    </>
  )
}

type Props = { readonly deployment: DeploymentView }
type Opened = 'edit' | 'pause' | 'delete'

function Details({ deployment }: Props) {
  const speech = useSpeech()
  const { t } = speech
  const [opened, setOpened] = useState<Opened>()
  const { name, model } = deployment
  const isPaused = deployment.deploymentState === 'Paused'
  const isDeclared = deployment.source.kind === 'file'
  const close = () => setOpened(undefined)
  return (
    <Page
      title={name}
      intro={
        <span className="row">
          <StateBadge deployment={deployment} /> {model.name} {deployment.servedVersion ?? model.version}
        </span>
      }
      actions={
        <>
          {!isEmbedding(deployment) && (
            <Link to="/playground" search={{ deployment: name }} className="no-underline">
              <Button icon={<ChatRegular />} tabIndex={-1}>
                {t('deployments.tryIt')}
              </Button>
            </Link>
          )}
          <Button icon={<EditRegular />} disabled={isDeclared} onClick={() => setOpened('edit')}>
            {t('action.edit')}
          </Button>
          <Button
            icon={isPaused ? <PlayRegular /> : <PauseRegular />}
            disabled={isDeclared}
            onClick={() => setOpened('pause')}
          >
            {t(isPaused ? 'deployments.resume' : 'deployments.pause')}
          </Button>
          <Button
            icon={<DeleteRegular />}
            className="danger-text"
            disabled={isDeclared}
            onClick={() => setOpened('delete')}
          >
            {t('action.delete')}
          </Button>
        </>
      }
    >
      {deployment.source.kind === 'file' && (
        <MessageBar layout="multiline" className="warning">
          <MessageBarBody>
            {t('deployments.declared', { file: deployment.source.file, line: deployment.source.line })}
          </MessageBarBody>
        </MessageBar>
      )}
      <Section title={t('deployments.properties')}>
        <Facts rows={listFacts(deployment, speech)} />
      </Section>
      <Backends deployment={deployment} />
      <Targets deployment={deployment} />
      <Section title={t('overview.firstCall')}>
        <CodeTabs
          samples={listSamples({ origin: location.origin, deployment: name, isEmbedding: isEmbedding(deployment) })}
        />
      </Section>
      {opened === 'edit' && <EditWindow deployment={deployment} onClose={close} />}
      {opened === 'pause' && <PauseWindow deployment={deployment} onClose={close} />}
      {opened === 'delete' && <DeleteWindow deployment={deployment} onClose={close} />}
    </Page>
  )
}

function listFacts(deployment: DeploymentView, speech: Speech): readonly (readonly [string, string] | false)[] {
  const { t, date, time } = speech
  const { model, lifecycle } = deployment
  return [
    [t('deployments.model'), `${model.format} / ${model.name}`],
    [t('deployments.version'), deployment.servedVersion ?? model.version],
    [t('deploy.upgrade'), deployment.versionUpgradeOption ?? t('deploy.upgradeDefault')],
    [t('deployments.sku'), describeSku(deployment, speech)],
    [t('deployments.limits'), describeLimits(deployment.effectiveLimits, speech)],
    [t('deployments.filter'), deployment.effectiveRaiPolicyName ?? ''],
    [t('models.lifecycle'), lifecycle?.status ?? ''],
    [t('deployments.retires'), lifecycle?.retiresAt ? date(lifecycle.retiresAt) : t('deployments.never')],
    deployment.spilloverDeploymentName !== undefined && [
      t('deployments.spillover'),
      deployment.spilloverDeploymentName,
    ],
    deployment.expiresAt !== undefined && [t('deployments.expires'), time(deployment.expiresAt)],
    [t('deployments.created'), time(deployment.createdAt)],
    [t('deployments.updated'), time(deployment.updatedAt)],
  ]
}

function Backends({ deployment }: Props) {
  const { t } = useSpeech()
  const [found, setFound] = useState<readonly ProbeView[]>()
  const [error, setError] = useState<unknown>()
  const [isBusy, setBusy] = useState(false)

  async function probe(): Promise<void> {
    setBusy(true)
    setError(undefined)
    try {
      const path = `${managementPath('deployments', deployment.name)}/probe`
      setFound((await request<{ value: readonly ProbeView[] }>('GET', path)).value)
    } catch (failure) {
      setError(failure)
    }
    setBusy(false)
  }
  return (
    <Section
      title={t('deployments.backends')}
      actions={
        <Button size="small" icon={<PlugConnectedRegular />} disabled={isBusy} onClick={() => void probe()}>
          {t('deployments.test')}
        </Button>
      }
    >
      {deployment.backends === undefined ? (
        <p className="quiet no-margin">{t('deployments.builtin')}</p>
      ) : (
        <ul className="plain-list">
          {deployment.backends.map((backend) => (
            <li key={`${backend.url} ${backend.model} ${backend.priority}`}>
              <span className="mono">{backend.url}</span>{' '}
              <span className="quiet">
                {backend.protocol}
                {backend.model !== undefined && ` · ${backend.model}`} ·{' '}
                {t('deployments.priority', { priority: backend.priority, weight: backend.weight })}
              </span>
            </li>
          ))}
        </ul>
      )}
      <div role="status" className="stack">
        {found?.map(({ backend, ok, detail }) => (
          <MessageBar key={backend} intent={ok ? 'success' : 'error'} layout="multiline" className="probe">
            <MessageBarBody>
              {backend}: {detail || t(ok ? 'deployments.answers' : 'deployments.silent')}
            </MessageBarBody>
          </MessageBar>
        ))}
        {error !== undefined && <ErrorNote error={error} />}
      </div>
    </Section>
  )
}

function Targets({ deployment }: Props) {
  const { t } = useSpeech()
  const { origin } = location
  const operation = isEmbedding(deployment) ? 'embeddings' : 'chat/completions'
  const path = `${origin}/openai/deployments/${encodeURIComponent(deployment.name)}/${operation}`
  const targets = [
    ['Azure OpenAI', `${path}?api-version=${openaiVersion}`],
    ['OpenAI v1', `${origin}/openai/v1/${operation}`],
    ['Azure AI Model Inference', `${origin}/models/${operation}?api-version=${inferenceVersion}`],
  ] as const
  return (
    <Section title={t('deployments.targets')}>
      <dl className="endpoints">
        {targets.map(([name, url]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <span className="mono">{url}</span>
              <CopyButton label={name} read={() => url} />
            </dd>
          </div>
        ))}
      </dl>
    </Section>
  )
}

function PauseWindow({ deployment: { name, deploymentState }, onClose }: Props & { readonly onClose: () => void }) {
  const { t } = useSpeech()
  const queries = useQueryClient()
  const isPaused = deploymentState === 'Paused'
  return (
    <Ask
      title={t(isPaused ? 'deployments.resumeOf' : 'deployments.pauseOf', { name })}
      action={t(isPaused ? 'deployments.resume' : 'deployments.pause')}
      isDangerous={!isPaused}
      onClose={onClose}
      onAct={async () => {
        await request('POST', `${managementPath('deployments', name)}/${isPaused ? 'resume' : 'pause'}`)
        await refresh(queries, 'deployments')
      }}
    >
      <p>{t(isPaused ? 'deployments.resumeEffect' : 'deployments.pauseEffect')}</p>
    </Ask>
  )
}

function DeleteWindow({ deployment: { name, etag }, onClose }: Props & { readonly onClose: () => void }) {
  const { t } = useSpeech()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const { data: all = [] } = useQuery(deploymentsQuery)
  const dependent = all.filter(
    ({ spilloverDeploymentName }) => spilloverDeploymentName?.toLowerCase() === name.toLowerCase(),
  )
  return (
    <Ask
      title={t('deployments.deleteOf', { name })}
      action={t('action.delete')}
      onClose={onClose}
      onAct={async () => {
        await request('DELETE', managementPath('deployments', name), undefined, { 'if-match': `"${etag}"` })
        await navigate({ to: '/deployments', search: {} })
        await refresh(queries, 'deployments', 'quota', 'models')
      }}
    >
      <p>{t('deployments.deleteEffect')}</p>
      {dependent.length > 0 && (
        <p>{t('deployments.deleteSpillover', { names: dependent.map((one) => one.name).join(', ') })}</p>
      )}
    </Ask>
  )
}
