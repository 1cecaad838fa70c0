import type { Command } from 'commander'
import type { ResourceView } from '../../control/api.ts'
import type { CommandContext } from '../context.ts'
import { openManagementClient } from '../management-client.ts'
import { confirm } from '../terminal/confirm.ts'
import { formatTime, printFacts, printList } from '../terminal/print.ts'
import { addResourceFlags, withoutNulls } from './resource-flags.ts'

const columns = [
  { title: 'name', read: (row: ResourceView) => (row.isDefault ? `${row.name} (the server's own)` : row.name) },
  { title: 'location', read: (row: ResourceView) => row.location },
  { title: 'kind', read: (row: ResourceView) => row.kind },
  { title: 'subdomain', read: (row: ResourceView) => row.properties.customSubDomainName ?? '', isOptional: true },
  { title: 'deleted', read: (row: ResourceView) => (row.deletedAt ? formatTime(row.deletedAt) : ''), isOptional: true },
  { title: 'declared in', read: ({ source }: ResourceView) => (source.kind === 'file' ? source.file : 'API or CLI') },
]

const pathOf = (name: string): string => `resources/${encodeURIComponent(name)}`
const deletedPathOf = (name: string): string => `deleted-resources/${encodeURIComponent(name)}`

/** `ponto resource ...`: several resources on one server, each with deployments, keys and filters of its own. */
export function defineResource(group: Command, context: CommandContext): void {
  // These are about the server, whatever resource other commands work on.
  const open = () => openManagementClient({ folder: context.folder })
  group.addHelpText(
    'after',
    `
A resource is reached by its name, as <name>.localhost, <name>.openai.azure.com and the like, or below
/resources/<name> of any address of the server. Other commands work on it with --resource NAME.

Examples:
  ponto resource create team-a --location eastus
  ponto --resource team-a deployment create gpt-4o --model gpt-4o --backend https://api.example.com/v1
  ponto --resource team-a key list
  eval "$(ponto --resource team-a env)"
  ponto resource delete team-a                    ponto resource restore team-a brings it back`,
  )
  group
    .command('list')
    .description("all resources, the server's own among them")
    .option('--deleted', 'those that were deleted and can be restored')
    .action(async (options: { deleted?: boolean }) => {
      const path = options.deleted ? 'deleted-resources' : 'resources'
      const { value } = await open().call<{ value: ResourceView[] }>(path)
      await printList(context, value, columns, 'No resource was deleted.')
    })
  group
    .command('show')
    .description('one resource')
    .argument('<name>', 'in any case')
    .action(async (name: string) => showResource(context, await open().call<ResourceView>(pathOf(name))))

  const create = group.command('create').argument('<name>', '2 to 64 letters, digits, "-", "_" or "."')
  const readNew = addResourceFlags(create.description('make a resource, with two keys'))
  create.option('--dry-run', 'show what would be, and change nothing').action(async (name: string) => {
    const view = await open().call<ResourceView>(tried(create, pathOf(name)), {
      method: 'PUT',
      body: withoutNulls(readNew()),
      headers: { 'if-none-match': '*' },
    })
    await showResource(context, view)
  })
  const update = group.command('update').argument('<name>', 'in any case')
  const readChange = addResourceFlags(update.description('change a resource; what is not named stays'))
  update.option('--dry-run', 'show what would be, and change nothing').action(async (name: string) => {
    const body = readChange()
    if (Object.keys(body).length === 0) update.error('error: nothing to change was named')
    await showResource(context, await open().call<ResourceView>(tried(update, pathOf(name)), { method: 'PATCH', body }))
  })

  const remove = group.command('delete').argument('<name>', 'in any case').option('-y, --yes', 'do not ask')
  remove
    .description('make a resource unreachable; restore brings it back, purge does not')
    .action(async (name: string) => {
      if (!remove.opts().yes) await confirm(context, `Nothing of ${name} can be used until it is restored. Go on?`)
      await open().call(pathOf(name), { method: 'DELETE' })
    })
  group
    .command('restore')
    .description('bring a deleted resource back, with keys and deployments as they were')
    .argument('<name>', 'in any case')
    .action(async (name: string) =>
      showResource(context, await open().call<ResourceView>(`${deletedPathOf(name)}/restore`, { method: 'POST' })),
    )
  const purge = group.command('purge').argument('<name>', 'in any case').option('-y, --yes', 'do not ask')
  purge.description('end a deleted resource for good, with all that belongs to it').action(async (name: string) => {
    if (!purge.opts().yes) await confirm(context, `All that belongs to ${name} will be gone for good. Go on?`)
    await open().call(deletedPathOf(name), { method: 'DELETE' })
  })
}

function tried(command: Command, path: string): string {
  return command.opts().dryRun ? `${path}?dryRun=true` : path
}

async function showResource(context: CommandContext, view: ResourceView): Promise<void> {
  const { properties, source } = view
  const { networkAcls: acls, allowedFqdnList = [] } = properties
  await printFacts(context, view, [
    ['Name', view.isDefault ? `${view.name} (the server's own)` : view.name],
    ['Location', view.location],
    ['Kind', `${view.kind}, ${view.sku.name}`],
    ['Resource group', `${view.resourceGroup} of ${view.subscriptionId}`],
    ...(properties.customSubDomainName ? [['Subdomain', properties.customSubDomainName] as const] : []),
    ['Keys', properties.disableLocalAuth ? 'open nothing: only tokens do' : 'open it'],
    ['Reached from', properties.publicNetworkAccess === 'Disabled' ? 'this machine only' : describeAcls(acls)],
    ...(properties.restrictOutboundNetworkAccess
      ? [['May call', allowedFqdnList.join(', ') || 'no host'] as const]
      : []),
    ...Object.entries(view.tags).map(([name, value]) => ['Tag', `${name} = ${value}`] as const),
    ['Declared in', source.kind === 'file' ? `${source.file}, line ${source.line}` : 'API or CLI'],
    ['Created', formatTime(view.createdAt)],
    ['Changed', formatTime(view.updatedAt)],
  ])
}

function describeAcls(acls: ResourceView['properties']['networkAcls']): string {
  if (acls?.defaultAction !== 'Deny') return 'anywhere'
  return acls.ipRules.map(({ value }) => value).join(', ') || 'nowhere'
}
