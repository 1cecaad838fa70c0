import type { BackendView, DeploymentView, LimitsView } from '../../control/api.ts'

/** Deployments in words, for people. */

export function describePlace(view: DeploymentView): string {
  if (!view.backends) return 'built-in engine'
  const [first] = view.backends
  const more = view.backends.length > 1 ? ` and ${view.backends.length - 1} more` : ''
  return `${first ? new URL(first.url).host : ''}${more}`
}

export function describeBackend(backend: BackendView): string {
  const { credential, labels } = backend
  return [
    backend.url,
    backend.protocol + (backend.apiVersion ? ` ${backend.apiVersion}` : ''),
    ...(backend.model ? [`model ${backend.model}`] : []),
    `priority ${backend.priority}, weight ${backend.weight}`,
    ...(backend.maxConcurrency === undefined ? [] : [`${backend.maxConcurrency} calls at once`]),
    ...(labels?.length ? [`labels ${labels.join(', ')}`] : []),
    credential ? ('env' in credential ? `credential from ${credential.env}` : 'credential stored') : 'no credential',
  ].join('; ')
}

export function describeSource(view: DeploymentView): string {
  return view.source.kind === 'file' ? `${view.source.file}:${view.source.line}` : 'API or CLI'
}

/** The version that is served; the one that is written too where that is another. */
export function describeVersion({ model, servedVersion = model.version }: DeploymentView): string {
  return servedVersion === model.version ? servedVersion : `${servedVersion}, moved from ${model.version}`
}

/** `GlobalStandard 80`, or nothing. */
export function describeCapacity({ sku }: DeploymentView): string {
  return sku ? `${sku.name} ${sku.capacity}` : ''
}

/** `80 requests/10 s, 80,000 tokens/min`, or nothing without limits. */
export function describeLimits(limits: LimitsView | undefined): string {
  switch (limits?.kind) {
    case undefined:
      return ''
    case 'rate': {
      const rates = limits.rateLimits.map(
        ({ key, renewalPeriod, count }) =>
          `${plural(count, key)}/${renewalPeriod === 60 ? 'min' : `${renewalPeriod} s`}`,
      )
      const more = limits.borrowableTokensPerMinute
      return [...rates, ...(more ? [`up to ${plural(more, 'token')}/min more from the pool`] : [])].join(', ')
    }
    case 'provisioned': {
      const { inputTokensPerMinute, outputWeight, concurrency } = limits
      const calls = concurrency === undefined ? [] : [`${plural(concurrency, 'call')} at once`]
      return [`${plural(inputTokensPerMinute, 'input token')}/min, output x ${outputWeight}`, ...calls].join(', ')
    }
    case 'enqueued':
      return `${plural(limits.tokens, 'token')} waiting`
  }
}

export function describeState({ deploymentState, lifecycle }: DeploymentView): string {
  if (deploymentState === 'Paused') return 'Paused'
  return lifecycle?.status === 'Deprecated' ? 'Retired' : 'Running'
}

/** The content filter policy of its calls. */
export function describePolicy({ raiPolicyName, effectiveRaiPolicyName }: DeploymentView): string {
  if (raiPolicyName) return raiPolicyName
  return effectiveRaiPolicyName ? `${effectiveRaiPolicyName} (default)` : ''
}

/** The day it stops answering, and what takes its place, where known. */
export function describeEnd({ lifecycle }: DeploymentView): string {
  const { retiresAt, replacement } = lifecycle ?? {}
  if (!retiresAt) return ''
  const day = retiresAt.slice(0, 10)
  return replacement ? `${day} (then ${replacement.name} ${replacement.version})` : day
}

function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`
}
