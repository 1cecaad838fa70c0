import { Badge, Button, SearchBox, Select } from '@fluentui/react-components'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { ModelView } from '../../../src/control/api.ts'
import { modelsQuery } from '../../api/queries.ts'
import { useSpeech } from '../../text/text.tsx'
import { Page } from '../../ui/page.tsx'
import { Empty, Loaded } from '../../ui/states.tsx'

/** The catalog: every model that is known, its versions together. */
export function Models() {
  const { t } = useSpeech()
  const models = useQuery(modelsQuery)
  return (
    <Page title={t('nav.models')} intro={t('models.intro')}>
      <Loaded query={models}>{(list) => <Catalog models={list} />}</Loaded>
    </Page>
  )
}

function Catalog({ models }: { readonly models: readonly ModelView[] }) {
  const { t, number } = useSpeech()
  const [words, setWords] = useState('')
  const [type, setType] = useState('')
  const [publisher, setPublisher] = useState('')
  const groups = [...Map.groupBy(models, ({ name }) => name).values()]
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean)
  const found = groups.filter(([first]) => {
    if (!first) return false
    const text = `${first.name} ${first.publisher} ${first.description}`.toLowerCase()
    if (type !== '' && first.type !== type) return false
    if (publisher !== '' && first.publisher !== publisher) return false
    return wanted.every((word) => text.includes(word))
  })
  const types = distinct(models.map((model) => model.type))
  const publishers = distinct(models.map((model) => model.publisher))
  return (
    <>
      <div className="filters">
        <SearchBox
          aria-label={t('models.search')}
          placeholder={t('models.search')}
          value={words}
          onChange={(_event, { value }) => setWords(value)}
        />
        <Select aria-label={t('models.type')} value={type} onChange={(_event, { value }) => setType(value)}>
          <option value="">{t('models.allTypes')}</option>
          {types.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </Select>
        <Select
          aria-label={t('models.publisher')}
          value={publisher}
          onChange={(_event, { value }) => setPublisher(value)}
        >
          <option value="">{t('models.allPublishers')}</option>
          {publishers.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </Select>
        <span className="quiet" role="status">
          {t('state.countOf', { count: number(found.length), all: number(groups.length) })}
        </span>
      </div>
      {found.length === 0 ? (
        <Empty title={t('state.nothingFound')} text={t('models.notThere')} />
      ) : (
        <ul className="cards">
          {found.map((versions) => (
            <ModelCard key={versions[0]?.name} versions={versions} />
          ))}
        </ul>
      )}
    </>
  )
}

function distinct(values: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(values.filter((value) => value !== undefined))].sort()
}

function ModelCard({ versions }: { readonly versions: readonly ModelView[] }) {
  const { t, number, date } = useSpeech()
  const navigate = useNavigate()
  const model = versions[0] as ModelView
  const deployments = [...new Set(versions.flatMap((one) => one.deployments))]
  const facts = [
    model.maxContextTokens !== undefined && t('models.context', { tokens: number(model.maxContextTokens) }),
    t('models.versions', { versions: versions.map(({ version }) => version).join(', ') }),
    model.lifecycle.retiresAt !== undefined && t('models.retires', { date: date(model.lifecycle.retiresAt) }),
  ].filter((fact) => fact !== false)
  return (
    <li className="card">
      <div className="card-head">
        <h2>{model.name}</h2>
        <span className="quiet">{model.publisher}</span>
      </div>
      <div className="row">
        {model.type && <Badge appearance="tint">{model.type}</Badge>}
        <Badge appearance="outline" color="informative">
          {model.lifecycle.status}
        </Badge>
        {model.runsOn.includes('builtin') && (
          <Badge appearance="tint" color="success">
            {t('models.builtin')}
          </Badge>
        )}
      </div>
      <p className="card-text">{model.description}</p>
      <p className="quiet card-facts">{facts.join(' · ')}</p>
      <div className="card-foot">
        <span className="quiet">
          {deployments.slice(0, 3).map((name, index) => (
            <span key={name}>
              {index > 0 && ', '}
              <Link to="/deployments/$name" params={{ name }}>
                {name}
              </Link>
            </span>
          ))}
          {deployments.length > 3 && ` +${deployments.length - 3}`}
        </span>
        <Button
          size="small"
          aria-label={t('models.deployOf', { name: model.name })}
          onClick={() => void navigate({ to: '/deployments', search: { model: model.name } })}
        >
          {t('deployments.deploy')}
        </Button>
      </div>
    </li>
  )
}
