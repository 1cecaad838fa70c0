import type { DeploymentView, LimitsView } from '../../../src/control/api.ts'
import type { Speech } from '../../text/text.tsx'

export function isEmbedding({ model }: Pick<DeploymentView, 'model'>): boolean {
  return model.type === 'embeddings' || /embed/i.test(model.name)
}

/** What a deployment lets through, in words. */
export function describeLimits(limits: LimitsView | undefined, { t, number }: Speech): string {
  if (!limits) return t('limits.none')
  switch (limits.kind) {
    case 'rate':
      return limits.rateLimits
        .map(({ key, count, renewalPeriod }) => {
          const unit = t(key === 'token' ? 'limits.tokens' : 'limits.requests')
          const each = renewalPeriod === 60 ? t('limits.aMinute') : t('limits.inSeconds', { seconds: renewalPeriod })
          return `${number(count)} ${unit} ${each}`
        })
        .join(', ')
    case 'provisioned':
      return t('limits.provisioned', { tokens: number(limits.inputTokensPerMinute) })
    case 'enqueued':
      return t('limits.enqueued', { tokens: number(limits.tokens) })
  }
}

export function describeSku({ sku }: Pick<DeploymentView, 'sku'>, { t, number }: Speech): string {
  return sku ? `${sku.name} · ${number(sku.capacity)}` : t('deployments.noSku')
}
