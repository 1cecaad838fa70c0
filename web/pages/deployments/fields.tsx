import { Field, Input, Select, Slider } from '@fluentui/react-components'
import { useQuery } from '@tanstack/react-query'
import type { ModelView } from '../../../src/control/api.ts'
import { policiesQuery, quotaQuery } from '../../api/queries.ts'
import { useSpeech } from '../../text/text.tsx'
import { availableUnits, type DeploymentForm, findQuota } from './form.ts'

export type FieldsProps = {
  readonly form: DeploymentForm
  readonly model: ModelView | undefined
  change(part: Partial<DeploymentForm>): void
}

/** Without a quota the slider has to end somewhere; the number beside it does not. */
const sliderEnd = 1_000

/** What both dialogs ask: how much, which version, which filter. */
export function SharedFields(props: FieldsProps) {
  const { t } = useSpeech()
  const { form, change } = props
  const { data: policies = [] } = useQuery(policiesQuery)
  return (
    <>
      <CapacityFields {...props} />
      <div className="form-row">
        <Field label={t('deploy.upgrade')}>
          <Select value={form.upgrade} onChange={(_event, { value }) => change({ upgrade: value })}>
            <option value="">{t('deploy.upgradeDefault')}</option>
            <option value="OnceNewDefaultVersionAvailable">{t('deploy.upgradeNew')}</option>
            <option value="OnceCurrentVersionExpired">{t('deploy.upgradeExpired')}</option>
            <option value="NoAutoUpgrade">{t('deploy.upgradeNever')}</option>
          </Select>
        </Field>
        <Field label={t('deployments.filter')}>
          <Select value={form.policy} onChange={(_event, { value }) => change({ policy: value })}>
            <option value="">{t('deploy.policyDefault')}</option>
            {policies.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </Select>
        </Field>
      </div>
      <div className="form-row">
        <Field label={t('deploy.tokensPerMinute')} hint={t('deploy.limitHint')}>
          <Input
            type="number"
            min={1}
            value={form.tokensPerMinute}
            onChange={(_event, { value }) => change({ tokensPerMinute: value })}
          />
        </Field>
        <Field label={t('deploy.requestsPerMinute')} hint={t('deploy.limitHint')}>
          <Input
            type="number"
            min={1}
            value={form.requestsPerMinute}
            onChange={(_event, { value }) => change({ requestsPerMinute: value })}
          />
        </Field>
      </div>
    </>
  )
}

function CapacityFields({ form, model, change }: FieldsProps) {
  const { t, number } = useSpeech()
  const { data: quota = [] } = useQuery(quotaQuery)
  const skus = model?.skus ?? []
  const sku = skus.find(({ name }) => name === form.sku)
  const pool = findQuota(quota, form)
  const most = pool ? availableUnits(pool, form.name) : undefined
  const { minimum = 1, step = 1 } = sku?.capacity ?? {}
  const end = Math.max(minimum, most ?? sliderEnd, form.capacity)
  return (
    <div className="form-row">
      <Field label={t('deployments.sku')} hint={t('deploy.skuHint')}>
        <Select
          value={form.sku}
          onChange={(_event, { value }) => {
            const chosen = skus.find(({ name }) => name === value)
            change({ sku: value, capacity: chosen?.capacity.default ?? 1 })
          }}
        >
          <option value="">{t('deployments.noSku')}</option>
          {skus.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </Select>
      </Field>
      {form.sku !== '' && (
        <Field label={t('deploy.capacity')} hint={describeCapacity()}>
          <div className="capacity">
            <Slider
              aria-label={t('deploy.capacity')}
              min={minimum}
              max={end}
              step={step}
              value={form.capacity}
              onChange={(_event, { value }) => change({ capacity: value })}
            />
            <Input
              type="number"
              aria-label={t('deploy.units')}
              min={minimum}
              step={step}
              value={String(form.capacity)}
              onChange={(_event, { value }) => change({ capacity: Math.max(1, Math.round(Number(value) || 1)) })}
            />
          </div>
        </Field>
      )}
    </div>
  )

  /** What the units come to, and how many are left. */
  function describeCapacity(): string {
    const unit = sku?.perUnit
    const worth =
      unit?.kind === 'rate' && unit.tokensPerMinute !== undefined
        ? t('deploy.comesTo', { tokens: number(unit.tokensPerMinute * form.capacity) })
        : unit?.kind === 'provisioned'
          ? t('limits.provisioned', { tokens: number(unit.inputTokensPerMinute * form.capacity) })
          : unit?.kind === 'enqueued'
            ? t('limits.enqueued', { tokens: number(unit.tokens * form.capacity) })
            : ''
    const left = most === undefined ? t('deploy.noQuota') : t('deploy.quotaLeft', { units: number(most) })
    return [worth, left].filter(Boolean).join('. ')
  }
}
