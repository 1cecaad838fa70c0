import { Button, Field, Input, Select } from '@fluentui/react-components'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { NamedKeyView } from '../../../src/control/api.ts'
import { refresh } from '../../api/queries.ts'
import { managementPath, request } from '../../api/request.ts'
import { useSession } from '../../app/session.tsx'
import { useSpeech } from '../../text/text.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { FormActions } from '../../ui/form-actions.tsx'
import { Window } from '../../ui/window.tsx'

type Form = {
  readonly name: string
  readonly owner: string
  readonly deployments: string
  readonly tokensPerMinute: string
  readonly requestsPerMinute: string
  readonly budget: string
  readonly period: 'day' | 'month'
  readonly expires: string
}

const emptyForm: Form = {
  name: '',
  owner: '',
  deployments: '',
  tokensPerMinute: '',
  requestsPerMinute: '',
  budget: '',
  period: 'month',
  expires: '',
}

function toDocument(form: Form): object {
  const names = form.deployments.split(/[\s,]+/).filter(Boolean)
  return {
    owner: form.owner.trim(),
    ...(names.length > 0 && { deployments: names }),
    ...(form.tokensPerMinute && { tokensPerMinute: Number(form.tokensPerMinute) }),
    ...(form.requestsPerMinute && { requestsPerMinute: Number(form.requestsPerMinute) }),
    ...(form.budget && { budgets: [{ unit: 'tokens', period: form.period, limit: Number(form.budget) }] }),
    ...(form.expires && { expiresAt: new Date(form.expires).toISOString() }),
  }
}

type Props = { readonly onSecret: (name: string, secret: string) => void; readonly onClose: () => void }

export function CreateKeyWindow({ onSecret, onClose }: Props) {
  const { t } = useSpeech()
  const { withConfirmation } = useSession()
  const queries = useQueryClient()
  const [form, setForm] = useState(emptyForm)
  const [error, setError] = useState<unknown>()
  const [isBusy, setBusy] = useState(false)
  const change = (part: Partial<Form>) => setForm((before) => ({ ...before, ...part }))

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      const path = managementPath('named-keys', form.name.trim())
      const key = await withConfirmation(() =>
        request<NamedKeyView>('PUT', path, toDocument(form), { 'if-none-match': '*' }),
      )
      await refresh(queries, 'named-keys')
      onSecret(key.name, key.secret ?? '')
    } catch (failure) {
      setError(failure)
      setBusy(false)
    }
  }
  return (
    <Window title={t('keys.create')} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <div className="form-row">
          <Field label={t('keys.name')} required hint={t('deploy.nameHint')}>
            <Input
              value={form.name}
              required
              autoFocus
              pattern="[A-Za-z0-9._\-]{2,64}"
              maxLength={64}
              onChange={(_event, { value }) => change({ name: value })}
            />
          </Field>
          <Field label={t('keys.owner')} hint={t('keys.ownerHint')}>
            <Input value={form.owner} maxLength={256} onChange={(_event, { value }) => change({ owner: value })} />
          </Field>
        </div>
        <Field label={t('keys.deployments')} hint={t('keys.deploymentsHint')}>
          <Input value={form.deployments} onChange={(_event, { value }) => change({ deployments: value })} />
        </Field>
        <div className="form-row">
          <Field label={t('deploy.tokensPerMinute')}>
            <Input
              type="number"
              min={1}
              value={form.tokensPerMinute}
              onChange={(_event, { value }) => change({ tokensPerMinute: value })}
            />
          </Field>
          <Field label={t('deploy.requestsPerMinute')}>
            <Input
              type="number"
              min={1}
              value={form.requestsPerMinute}
              onChange={(_event, { value }) => change({ requestsPerMinute: value })}
            />
          </Field>
        </div>
        <div className="form-row">
          <Field label={t('keys.budget')}>
            <Input
              type="number"
              min={1}
              value={form.budget}
              onChange={(_event, { value }) => change({ budget: value })}
            />
          </Field>
          <Field label={t('keys.period')}>
            <Select value={form.period} onChange={(_event, { value }) => change({ period: value as Form['period'] })}>
              <option value="day">{t('keys.day')}</option>
              <option value="month">{t('keys.month')}</option>
            </Select>
          </Field>
        </div>
        <Field label={t('keys.expires')}>
          <Input
            type="datetime-local"
            value={form.expires}
            onChange={(_event, { value }) => change({ expires: value })}
          />
        </Field>
        <FormActions action={t('keys.create')} error={error} isBusy={isBusy} onClose={onClose} />
      </form>
    </Window>
  )
}

type SecretProps = { readonly name: string; readonly secret: string; readonly onClose: () => void }

/** The only time that a secret is seen. */
export function SecretWindow({ name, secret, onClose }: SecretProps) {
  const { t } = useSpeech()
  return (
    <Window
      title={t('keys.secretOf', { name })}
      onClose={onClose}
      actions={
        <Button appearance="primary" onClick={onClose}>
          {t('keys.saved')}
        </Button>
      }
    >
      <div className="stack">
        <p>{t('keys.secretOnce')}</p>
        <div className="secret">
          <span className="mono">{secret}</span>
          <CopyButton label={t('keys.secret')} read={() => secret} />
        </div>
      </div>
    </Window>
  )
}
