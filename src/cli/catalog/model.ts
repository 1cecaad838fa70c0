import { type Command, Option } from 'commander'
import type { ModelView } from '../../control/api.ts'
import { modelTypes } from '../../core/deployment.ts'
import { Fault } from '../../core/fault.ts'
import type { CommandContext } from '../context.ts'
import { openManagementClient } from '../management-client.ts'
import { printFacts, printList } from '../terminal/print.ts'

const columns = [
  { title: 'name', read: (row: ModelView) => row.name },
  { title: 'version', read: describeVersion },
  { title: 'publisher', read: (row: ModelView) => row.format },
  { title: 'type', read: (row: ModelView) => row.type ?? '' },
  { title: 'status', read: describeLifecycle },
  { title: 'runs on', read: describePlace },
  { title: 'deployments', read: (row: ModelView) => row.deployments.join(', ') },
]

/** `ponto model ...`: the catalog. A deployment may be of a model that is not in it. */
export function defineModel(group: Command, context: CommandContext): void {
  group.addHelpText(
    'after',
    `
The catalog says which versions of a model there are, what a unit of capacity is worth and when a version ends. More
models, and other facts about these, are declared under "models" of the configuration file.

Examples:
  ponto model list
  ponto model list --type embeddings
  ponto model show gpt-4o
  ponto model show gpt-4o --model-version 2024-08-06 --output json`,
  )
  const list = group.command('list').description('all versions of all models')
  list
    .addOption(new Option('--type <type>', 'only those of one type').choices(Object.keys(modelTypes)))
    .action(async () => {
      const { type } = list.opts()
      const { value } = await openManagementClient(context).call<{ value: ModelView[] }>('models')
      const wanted = type ? value.filter((model) => model.type === type) : value
      await printList(context, wanted, columns, type ? `The catalog has no model of type ${type}.` : 'No models.')
    })
  const show = group.command('show').description('one model in full, with its SKUs').argument('<name>', 'in any case')
  show.option('--model-version <version>', 'another version than the default one').action(async (name: string) => {
    const { modelVersion } = show.opts()
    const path = `models/${encodeURIComponent(name)}`
    const { value } = await openManagementClient(context).call<{ value: ModelView[] }>(path)
    const model = modelVersion ? value.find(({ version }) => version === modelVersion) : value[0]
    if (!model) {
      const known = value.map(({ version }) => version).join(', ')
      throw new Fault(
        'not-found',
        `There is no version "${modelVersion}" of ${name} in the catalog; there is ${known}.`,
      )
    }
    await showModel(context, model, value)
  })
}

async function showModel(context: CommandContext, model: ModelView, versions: readonly ModelView[]): Promise<void> {
  const { description, publisher, maxContextTokens, maxOutputTokens, capabilities } = model
  await printFacts(context, model, [
    ['Name', model.name],
    ['Version', describeVersion(model)],
    ...(versions.length > 1 ? [['All versions', versions.map(describeVersion).join(', ')] as const] : []),
    ['Format', model.format],
    ...(publisher && publisher !== model.format ? [['Publisher', publisher] as const] : []),
    ...(description ? [['Description', description] as const] : []),
    ...(model.type ? [['Type', model.type] as const] : []),
    ['Capabilities', Object.entries(capabilities).map(describeCapability).join(', ') || 'not known'],
    ...(maxContextTokens ? [['Context', `${count(maxContextTokens)} tokens`] as const] : []),
    ...(maxOutputTokens ? [['Answer', `at most ${count(maxOutputTokens)} tokens`] as const] : []),
    ['Status', describeLifecycle(model)],
    ['Runs on', describePlace(model)],
    ...model.skus.map((sku) => ['SKU', describeSku(sku)] as const),
    ...model.deployments.map((name) => ['Deployment', name] as const),
    ['Known from', model.source === 'operator' ? 'the configuration file' : 'Ponto'],
  ])
}

function describeVersion({ version, isDefaultVersion }: ModelView): string {
  return isDefaultVersion ? `${version} (default)` : version
}

function describeCapability([name, value]: readonly [string, string]): string {
  return value === 'true' ? name : `${name} ${value}`
}

function describeLifecycle({ lifecycle }: ModelView): string {
  const { status, retiresAt, replacement } = lifecycle
  const end = retiresAt ? `, ends ${retiresAt.slice(0, 10)}` : ''
  const next = replacement ? `, then ${replacement.name} ${replacement.version}` : ''
  return `${status}${end}${next}`
}

function describePlace({ runsOn }: ModelView): string {
  return runsOn.map((place) => (place === 'builtin' ? 'built-in engine' : place)).join(', ')
}

function describeSku({ name, capacity, perUnit }: ModelView['skus'][number]): string {
  const { minimum, maximum, step } = capacity
  const units = `${count(minimum)} to ${count(maximum)} units${step > 1 ? ` in steps of ${count(step)}` : ''}`
  return `${name}: ${units}, each ${describeUnit(perUnit)}`
}

function describeUnit(unit: ModelView['skus'][number]['perUnit']): string {
  switch (unit.kind) {
    case 'provisioned':
      return `${count(unit.inputTokensPerMinute)} input tokens a minute, an output token counting as ${unit.outputWeight}`
    case 'enqueued':
      return `${count(unit.tokens)} waiting tokens`
    case 'rate': {
      const { tokensPerMinute: tokens, requestsPerMinute: requests } = unit
      const parts = [tokens && `${count(tokens)} tokens`, requests && `${count(requests)} requests`].filter(Boolean)
      return `${parts.join(' and ')} a minute`
    }
  }
}

function count(number: number): string {
  return number.toLocaleString('en-US')
}
