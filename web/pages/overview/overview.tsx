import { MessageBar, MessageBarBody, Select } from '@fluentui/react-components'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { DeploymentView, Status } from '../../../src/control/api.ts'
import { deploymentsQuery, statusQuery } from '../../api/queries.ts'
import { useSession } from '../../app/session.tsx'
import { listSamples } from '../../samples/samples.ts'
import { useSpeech } from '../../text/text.tsx'
import { CodeTabs } from '../../ui/code-block.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { Page, Section } from '../../ui/page.tsx'
import { Empty, Loaded } from '../../ui/states.tsx'
import { isEmbedding } from '../deployments/describe.ts'
import { Activity } from './activity.tsx'
import { Keys } from './keys.tsx'
import { Trust } from './trust.tsx'

/** What somebody needs for the first call, and how the server is. */
export function Overview() {
  const { t, time } = useSpeech()
  const status = useQuery(statusQuery)
  return (
    <Page
      title={t('nav.overview')}
      intro={status.data && t('overview.since', { version: status.data.version, time: time(status.data.startedAt) })}
    >
      <Loaded query={status}>{(data) => <Content status={data} />}</Loaded>
    </Page>
  )
}

function Content({ status }: { readonly status: Status }) {
  const { session } = useSession()
  const origins = listOrigins(status.endpoints)
  const [chosen, setOrigin] = useState(origins[0] as string)
  const origin = origins.includes(chosen) ? chosen : (origins[0] as string)
  const warnings = [...status.warnings, ...(status.configFile?.error ? [status.configFile.error] : [])]
  return (
    <>
      {warnings.map((warning) => (
        <MessageBar key={warning} intent="warning" layout="multiline" className="warning">
          <MessageBarBody>{warning}</MessageBarBody>
        </MessageBar>
      ))}
      <Activity />
      <Endpoints origin={origin} origins={origins} onOrigin={setOrigin} />
      <Keys />
      <FirstCall origin={origin} />
      {session.hasLocalAuthority && origin.startsWith('https:') && <Trust folder={status.dataFolder} />}
    </>
  )
}

/** Addresses of the server; the one this page came from first where it is none that the server knows of, as behind a proxy. */
function listOrigins(endpoints: readonly string[]): readonly string[] {
  const known = endpoints.map((url) => new URL(url).origin)
  return known.includes(location.origin) ? known : [location.origin, ...known]
}

type EndpointsProps = { readonly origin: string; readonly origins: readonly string[]; onOrigin(origin: string): void }

function Endpoints({ origin, origins, onOrigin }: EndpointsProps) {
  const { t } = useSpeech()
  const surfaces = [
    ['Azure AI Model Inference', `${origin}/models`],
    ['Azure OpenAI', origin],
    ['OpenAI v1, Responses', `${origin}/openai/v1/`],
    ['Anthropic Messages', `${origin}/anthropic`],
    ['Azure AI Content Safety', origin],
  ] as const
  return (
    <Section
      title={t('overview.endpoints')}
      actions={
        origins.length > 1 && (
          <Select
            size="small"
            aria-label={t('overview.address')}
            value={origin}
            onChange={(_event, { value }) => onOrigin(value)}
          >
            {origins.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </Select>
        )
      }
    >
      <dl className="endpoints">
        {surfaces.map(([name, url]) => (
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

function FirstCall({ origin }: { readonly origin: string }) {
  const { t } = useSpeech()
  const deployments = useQuery(deploymentsQuery)
  return (
    <Loaded query={deployments}>
      {(list) =>
        list.length === 0 ? (
          <Section title={t('overview.firstCall')}>
            <Empty title={t('deployments.none')} text={t('deployments.noneText')}>
              <Link to="/deployments">{t('deployments.deploy')}</Link>
            </Empty>
          </Section>
        ) : (
          <Samples origin={origin} deployments={list} />
        )
      }
    </Loaded>
  )
}

type SamplesProps = { readonly origin: string; readonly deployments: readonly DeploymentView[] }

function Samples({ origin, deployments }: SamplesProps) {
  const { t } = useSpeech()
  const [name, setName] = useState(deployments[0]?.name)
  const chosen = deployments.find((one) => one.name === name) ?? (deployments[0] as DeploymentView)
  return (
    <Section
      title={t('overview.firstCall')}
      actions={
        <Select
          size="small"
          aria-label={t('deployments.one')}
          value={chosen.name}
          onChange={(_event, { value }) => setName(value)}
        >
          {deployments.map((one) => (
            <option key={one.name}>{one.name}</option>
          ))}
        </Select>
      }
    >
      <p className="quiet first-call-hint">{t('overview.keyHint')}</p>
      <CodeTabs samples={listSamples({ origin, deployment: chosen.name, isEmbedding: isEmbedding(chosen) })} />
    </Section>
  )
}
