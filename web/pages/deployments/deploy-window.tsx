import { Field, Input, Radio, RadioGroup, Select } from '@fluentui/react-components'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import type { DeploymentView, ModelView } from '../../../src/control/api.ts'
import { modelsQuery, refresh } from '../../api/queries.ts'
import { managementPath, request } from '../../api/request.ts'
import { useSpeech } from '../../text/text.tsx'
import { FormActions } from '../../ui/form-actions.tsx'
import { Loaded } from '../../ui/states.tsx'
import { Window } from '../../ui/window.tsx'
import { type FieldsProps, SharedFields } from './fields.tsx'
import { type DeploymentForm, emptyForm, findModel, protocolTitles, toDocument } from './form.ts'

type Props = {
  /** The model that was asked for, where one was. */
  readonly model: string | undefined
  readonly onClose: () => void
  readonly onDone: (name: string) => void
}

export function DeployWindow({ model, onClose, onDone }: Props) {
  const { t } = useSpeech()
  const models = useQuery(modelsQuery)
  return (
    <Window title={t('deploy.title')} isWide onClose={onClose}>
      <Loaded query={models}>
        {(list) => <DeployForm models={list} model={model} onClose={onClose} onDone={onDone} />}
      </Loaded>
    </Window>
  )
}

function DeployForm({ models, model, onClose, onDone }: Props & { readonly models: readonly ModelView[] }) {
  const { t } = useSpeech()
  const queries = useQueryClient()
  const listId = useId()
  const [form, setForm] = useState(() => choose(emptyForm, model ?? '', models))
  const [error, setError] = useState<unknown>()
  const [isBusy, setBusy] = useState(false)
  const found = findModel(models, form)
  const versions = models.filter(({ name }) => name === found?.name)
  const change = (part: Partial<DeploymentForm>) => setForm((before) => ({ ...before, ...part }))

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      const path = managementPath('deployments', form.name.trim())
      const made = await request<DeploymentView>('PUT', path, toDocument(form, found?.format), { 'if-none-match': '*' })
      await refresh(queries, 'deployments', 'quota', 'models')
      onDone(made.name)
    } catch (failure) {
      setError(failure)
      setBusy(false)
    }
  }
  return (
    <form className="stack" onSubmit={submit}>
      <div className="form-row">
        <Field label={t('deployments.model')} required hint={found?.description || t('deploy.modelHint')}>
          <Input
            value={form.model}
            list={listId}
            required
            autoFocus
            onChange={(_event, { value }) => setForm(choose(form, value, models))}
          />
        </Field>
        <Field label={t('deployments.name')} required hint={t('deploy.nameHint')}>
          <Input
            value={form.name}
            required
            pattern="[A-Za-z0-9._\-]{2,64}"
            maxLength={64}
            onChange={(_event, { value }) => change({ name: value })}
          />
        </Field>
      </div>
      <datalist id={listId}>
        {[...new Set(models.map(({ name }) => name))].map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {versions.length > 0 && (
        <Field label={t('deployments.version')}>
          <Select value={form.version} onChange={(_event, { value }) => change({ version: value })}>
            <option value="">{t('deploy.versionDefault', { version: versions[0]?.version ?? '' })}</option>
            {versions.map(({ version }) => (
              <option key={version}>{version}</option>
            ))}
          </Select>
        </Field>
      )}
      <BackendFields form={form} model={found} change={change} />
      <SharedFields form={form} model={found} change={change} />
      <FormActions action={t('deployments.deploy')} error={error} isBusy={isBusy} onClose={onClose} />
    </form>
  )
}

/** Another model: the name follows it as long as it was not typed, and what the other had goes. */
function choose(form: DeploymentForm, model: string, models: readonly ModelView[]): DeploymentForm {
  const next = { ...form, model, version: '', sku: '', capacity: 1 }
  const isOwnName = form.name !== '' && form.name !== suggestName(form.model)
  const found = findModel(models, next)
  return {
    ...next,
    name: isOwnName ? form.name : suggestName(model),
    backend: found?.runsOn.includes('builtin') ? 'builtin' : 'http',
  }
}

function suggestName(model: string): string {
  return model
    .trim()
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, 64)
}

function BackendFields({ form, model, change }: FieldsProps) {
  const { t } = useSpeech()
  const isBuiltin = model?.runsOn.includes('builtin') ?? false
  return (
    <>
      {isBuiltin && (
        <Field label={t('deploy.runsOn')}>
          <RadioGroup
            layout="horizontal"
            value={form.backend}
            onChange={(_event, { value }) => change({ backend: value as DeploymentForm['backend'] })}
          >
            <Radio value="builtin" label={t('deploy.builtin')} />
            <Radio value="http" label={t('deploy.http')} />
          </RadioGroup>
        </Field>
      )}
      {form.backend === 'http' && (
        <>
          <div className="form-row">
            <Field label={t('deploy.url')} required hint={t('deploy.urlHint')}>
              <Input
                type="url"
                required
                placeholder="http://127.0.0.1:11434/v1"
                value={form.url}
                onChange={(_event, { value }) => change({ url: value })}
              />
            </Field>
            <Field label={t('deploy.protocol')}>
              <Select value={form.protocol} onChange={(_event, { value }) => change({ protocol: value })}>
                {Object.entries(protocolTitles).map(([value, title]) => (
                  <option key={value} value={value}>
                    {title}
                  </option>
                ))}
              </Select>
            </Field>
          </div>
          <div className="form-row">
            <Field label={t('deploy.credential')} hint={t('deploy.credentialHint')}>
              <Input
                type="password"
                autoComplete="off"
                value={form.credential}
                onChange={(_event, { value }) => change({ credential: value })}
              />
            </Field>
            <Field label={t('deploy.backendModel')} hint={t('deploy.backendModelHint')}>
              <Input value={form.backendModel} onChange={(_event, { value }) => change({ backendModel: value })} />
            </Field>
          </div>
        </>
      )}
    </>
  )
}
