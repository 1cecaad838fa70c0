import type { DeploymentView } from '../../control/api.ts'
import type { CommandContext } from '../context.ts'
import { formatTime, printFacts } from '../terminal/print.ts'
import {
  describeBackend,
  describeCapacity,
  describeEnd,
  describeLimits,
  describePolicy,
  describeSource,
  describeState,
  describeVersion,
} from './describe.ts'

/** Prints one deployment in full. */
export async function showDeployment(context: CommandContext, view: DeploymentView): Promise<void> {
  const { model, price, tags } = view
  await printFacts(context, view, [
    ['Name', view.name],
    ['Model', `${model.name}, version ${describeVersion(view)}, format ${model.format}`],
    ['State', describeState(view)],
    ...(view.expiresAt ? where('Expires', formatTime(view.expiresAt)) : where('Retires', describeEnd(view))),
    ...where('Moves on', view.versionUpgradeOption),
    ...where('SKU', describeCapacity(view)),
    ['Limits', describeLimits(view.effectiveLimits) || 'none'],
    ...where('Counts', view.tokenAccounting && `tokens by ${view.tokenAccounting}`),
    ...where('Spills over to', view.spilloverDeploymentName),
    ...where('Service tier', view.serviceTier),
    ...where('Content filter', describePolicy(view)),
    ...where('Captures', view.capture && describeCapture(view.capture)),
    ...where('Price', price && describePrice(price)),
    ...where(
      'Tags',
      tags &&
        Object.entries(tags)
          .map(([name, value]) => `${name}=${value}`)
          .join(', '),
    ),
    ...(view.backends
      ? view.backends.map((backend) => ['Backend', describeBackend(backend)] as const)
      : [['Runs on', 'built-in engine'] as const]),
    ['Declared in', describeSource(view)],
    ['Created', formatTime(view.createdAt)],
    ['Changed', formatTime(view.updatedAt)],
  ])
}

/** A line that is only there when it says something. */
function where(label: string, text: string | undefined): readonly (readonly [string, string])[] {
  return text ? [[label, text]] : []
}

function describeCapture({ prompts, answers, redact, retentionDays }: NonNullable<DeploymentView['capture']>): string {
  const what = [prompts ? 'prompts' : '', answers ? 'answers' : ''].filter(Boolean).join(' and ')
  if (what === '') return ''
  return `${what}, for ${retentionDays} days${redact ? ', without personal data' : ''}`
}

function describePrice(price: NonNullable<DeploymentView['price']>): string {
  const { inputPerMillion, cachedInputPerMillion, outputPerMillion, perRequest } = price
  const cached = cachedInputPerMillion === undefined ? '' : ` (cached ${cachedInputPerMillion})`
  const each = perRequest > 0 ? `, ${perRequest} a request` : ''
  return `${inputPerMillion}${cached} in, ${outputPerMillion} out per million tokens${each}`
}
