import type { DeploymentView, ModelView, QuotaView } from '../../../src/control/api.ts'

/** What the dialogs to deploy and to edit hold, as it is typed. */
export type DeploymentForm = {
  readonly name: string
  readonly model: string
  /** '': the default version. */
  readonly version: string
  /** '': none, and no limits by it. */
  readonly sku: string
  readonly capacity: number
  readonly upgrade: string
  readonly policy: string
  readonly tokensPerMinute: string
  readonly requestsPerMinute: string
  readonly backend: 'builtin' | 'http'
  readonly url: string
  readonly protocol: string
  readonly credential: string
  readonly backendModel: string
}

export const emptyForm: DeploymentForm = {
  name: '',
  model: '',
  version: '',
  sku: '',
  capacity: 1,
  upgrade: '',
  policy: '',
  tokensPerMinute: '',
  requestsPerMinute: '',
  backend: 'http',
  url: '',
  protocol: 'openai',
  credential: '',
  backendModel: '',
}

export const protocolTitles = {
  openai: 'OpenAI',
  'azure-openai': 'Azure OpenAI',
  foundry: 'Azure AI Foundry',
  anthropic: 'Anthropic',
} as const

const minuteS = 60

/** The document that makes a deployment. */
export function toDocument(form: DeploymentForm, format: string | undefined): object {
  return {
    model: {
      name: form.model.trim(),
      ...(format !== undefined && { format }),
      ...(form.version && { version: form.version }),
    },
    ...sharedFields(form),
    ...(form.backend === 'http' && { backends: [toBackend(form)] }),
  }
}

/** What may be changed of a deployment that is there; null takes away. */
export function toPatch(form: DeploymentForm): object {
  const empty = { sku: null, rateLimits: null, versionUpgradeOption: null, raiPolicyName: null }
  return { ...empty, ...sharedFields(form) }
}

function sharedFields(form: DeploymentForm): object {
  const limits = [...toLimit('token', form.tokensPerMinute), ...toLimit('request', form.requestsPerMinute)]
  return {
    ...(form.sku && { sku: { name: form.sku, capacity: form.capacity } }),
    ...(limits.length > 0 && { rateLimits: limits }),
    ...(form.upgrade && { versionUpgradeOption: form.upgrade }),
    ...(form.policy && { raiPolicyName: form.policy }),
  }
}

function toLimit(key: 'token' | 'request', text: string): object[] {
  return text.trim() === '' ? [] : [{ key, renewalPeriod: minuteS, count: Number(text) }]
}

function toBackend({ url, protocol, credential, backendModel }: DeploymentForm): object {
  return {
    url: url.trim(),
    protocol,
    ...(credential && { credential: { value: credential } }),
    ...(backendModel.trim() && { model: backendModel.trim() }),
  }
}

export function toForm(deployment: DeploymentView): DeploymentForm {
  const limitOf = (key: 'token' | 'request') => {
    const found = deployment.rateLimits?.find((limit) => limit.key === key)
    return found ? String(Math.round((found.count * minuteS) / found.renewalPeriod)) : ''
  }
  return {
    ...emptyForm,
    name: deployment.name,
    model: deployment.model.name,
    version: deployment.model.version,
    sku: deployment.sku?.name ?? '',
    capacity: deployment.sku?.capacity ?? 1,
    upgrade: deployment.versionUpgradeOption ?? '',
    policy: deployment.raiPolicyName ?? '',
    tokensPerMinute: limitOf('token'),
    requestsPerMinute: limitOf('request'),
  }
}

/** The model and version a form is about; undefined for one that is in no catalog. */
export function findModel(models: readonly ModelView[], form: DeploymentForm): ModelView | undefined {
  const versions = models.filter(({ name }) => name.toLowerCase() === form.model.trim().toLowerCase())
  return versions.find(({ version }) => version === form.version) ?? versions[0]
}

/** What is left of the quota for a SKU of a model, the deployment's own share counted back; undefined where there is no quota. */
export function findQuota(quota: readonly QuotaView[], form: DeploymentForm): QuotaView | undefined {
  const pools = quota.filter((pool) => pool.sku === form.sku)
  return (
    pools.find((pool) => pool.model?.toLowerCase() === form.model.trim().toLowerCase()) ??
    pools.find((pool) => pool.model === undefined)
  )
}

export function availableUnits(pool: QuotaView, deployment: string): number {
  const own = pool.deployments.find(({ name }) => name.toLowerCase() === deployment.toLowerCase())
  return Math.max(0, pool.available + (own?.capacity ?? 0))
}
