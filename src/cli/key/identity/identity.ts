import { type Command, InvalidArgumentError } from 'commander'
import { formatExport, guessShell, type Shell, shells, type Variable } from '../../../boot/client-environment.ts'
import type { RoleAssignmentView, RoleView, ServicePrincipalView } from '../../../control/api.ts'
import type { CommandContext } from '../../context.ts'
import { type ManagementClient, openManagementClient } from '../../management-client.ts'
import { confirm } from '../../terminal/confirm.ts'
import { printList } from '../../terminal/print.ts'
import { parseDurationMs, parseTime } from '../../terminal/times.ts'
import { assignmentColumns, principalColumns, roleColumns, showPrincipal } from './show-identity.ts'

const pathOf = (name: string): string => `service-principals/${encodeURIComponent(name)}`

/** `ponto identity ...`: programs that get tokens from this server, and who may do what. `now` is unix milliseconds. */
export function defineIdentity(group: Command, context: CommandContext, now: () => number = Date.now): void {
  group.addHelpText(
    'after',
    `
Examples:
  ponto identity create ci --role "Cognitive Services User"
  ponto identity create deployer --role Contributor --resource ponto --expires 90d
  ponto identity assign 2f1c6c1e-... --role "Cognitive Services OpenAI User" --deployment gpt-4o
  ponto identity rotate ci --overlap 1h           the old secret goes on for an hour
  ponto identity roles                            what each role may do`,
  )
  defineReaders(group, context)
  defineCreate(group, context, now)
  defineRotate(group, context, now)
  defineDelete(group, context)
  defineAssign(group, context)
}

function defineReaders(group: Command, context: CommandContext): void {
  group
    .command('list')
    .description('programs that get tokens here, and their roles')
    .action(async () => {
      const client = openManagementClient({ folder: context.folder })
      const { value } = await client.call<{ value: ServicePrincipalView[] }>('service-principals')
      await printList(context, value, principalColumns, 'There are no service principals.')
    })
  group
    .command('show')
    .description('one of them; its secret is not stored and cannot be shown')
    .argument('<name>', 'in any case')
    .action(async (name: string) => {
      const client = openManagementClient({ folder: context.folder })
      await showPrincipal(context, await client.call<ServicePrincipalView>(pathOf(name)))
    })
  group
    .command('assignments')
    .description('who has which role where, also by the configuration file')
    .action(async () => {
      const client = openManagementClient({ folder: context.folder })
      const { value } = await client.call<{ value: RoleAssignmentView[] }>('role-assignments')
      await printList(context, value, assignmentColumns, 'No role is assigned to anybody.')
    })
  group
    .command('roles')
    .description('the roles and what each may do')
    .action(async () => {
      const client = openManagementClient({ folder: context.folder })
      const { value } = await client.call<{ value: RoleView[] }>('roles')
      await printList(context, value, roleColumns, '')
    })
}

/** Where a role holds: with none of these flags on the whole server. `--resource` is one of all commands. */
function addScopeFlags(command: Command): Command {
  return command.option(
    '--deployment <name>',
    'the role holds on this deployment only; with --resource, on one of that resource',
  )
}

function defineCreate(group: Command, context: CommandContext, now: () => number): void {
  const command = group.command('create').argument('<name>', 'of the program')
  addScopeFlags(command)
    .description('make a service principal; its secret is printed this once')
    .option('--role <name>', 'a role it gets; repeat it for several', collect, [])
    .option('--expires <when>', 'of the secret: a date, a time or a span such as 90d', (text) =>
      parseExpiry(text, now()),
    )
    .option('--shell <name>', `whose syntax the variables have: ${shells.join(', ')}`, parseShell)
    .addHelpText(
      'after',
      `
Examples:
  ponto identity create ci --role "Cognitive Services User"
  ponto identity create ci --role "Cognitive Services OpenAI User" --deployment gpt-4o
  secret=$(ponto identity create ci --output json | jq -r .secret)`,
    )
    .action(async (name: string) => {
      const { role, deployment, expires: expiresAt } = command.opts()
      const resource = context.resource()
      const roles = (role as string[]).map((one) => ({ role: one, resource, deployment }))
      if (roles.length === 0 && deployment !== undefined) {
        command.error('error: --deployment says where a role holds; name it with --role')
      }
      const client = openManagementClient({ folder: context.folder })
      const body = { roles, ...(expiresAt !== undefined && { expiresAt }) }
      const view = await client.call<ServicePrincipalView>(pathOf(name), { method: 'PUT', body })
      await showPrincipal(context, view)
      tellVariables(context, client, view, command.opts().shell)
    })
}

function defineRotate(group: Command, context: CommandContext, now: () => number): void {
  const command = group.command('rotate').argument('<name>', 'in any case')
  command
    .description('give it a new secret, which is printed this once')
    .option('--overlap <span>', 'how long the old secret goes on: 1h, 30m, 2d; without it not at all', parseSpan)
    .option('--expires <when>', 'of the new secret: a date, a time or a span such as 90d', (text) =>
      parseExpiry(text, now()),
    )
    .option('-y, --yes', 'do not ask')
    .action(async (name: string) => {
      const { overlap = 0, yes, expires: expiresAt } = command.opts()
      if (overlap === 0 && !yes) await confirm(context, `The secret that ${name} has now stops working at once. Go on?`)
      const client = openManagementClient({ folder: context.folder })
      const body = { overlapSeconds: overlap / 1000, ...(expiresAt !== undefined && { expiresAt }) }
      const view = await client.call<ServicePrincipalView>(`${pathOf(name)}/rotate`, { method: 'POST', body })
      await showPrincipal(context, view)
    })
}

function defineDelete(group: Command, context: CommandContext): void {
  const command = group.command('delete').argument('<name>', 'in any case').option('-y, --yes', 'do not ask')
  command.description('remove it with its roles: its tokens open nothing any more').action(async (name: string) => {
    if (!command.opts().yes) await confirm(context, `Deleting ${name} cannot be undone. Go on?`)
    await openManagementClient({ folder: context.folder }).call(pathOf(name), { method: 'DELETE' })
    if (context.format() === 'table') context.stdout.write(`Deleted ${name}.\n`)
  })
}

function defineAssign(group: Command, context: CommandContext): void {
  const assign = group
    .command('assign')
    .argument('<who>', 'name of a service principal, or the oid, sub or appid of tokens')
  addScopeFlags(assign)
    .description('give somebody a role')
    .requiredOption('--role <name>', 'the role')
    .option('--group', 'it is a group that tokens name')
    .option('--issuer <name>', 'whose tokens, where several issuers are configured')
    .action(async (who: string) => {
      const { role, deployment, group: isGroup, issuer } = assign.opts()
      const resource = context.resource()
      const client = openManagementClient({ folder: context.folder })
      const { value } = await client.call<{ value: ServicePrincipalView[] }>('service-principals')
      const isOwn =
        !isGroup && issuer === undefined && value.some(({ name }) => name.toLowerCase() === who.toLowerCase())
      const whom = isGroup ? { group: who } : isOwn ? { servicePrincipal: who } : { principal: who }
      const body = { role, resource, deployment, issuer, ...whom }
      const path = `role-assignments/${crypto.randomUUID()}`
      const view = await client.call<RoleAssignmentView>(path, { method: 'PUT', body })
      await printList(context, [view], assignmentColumns, '')
    })
  group
    .command('unassign')
    .argument('<id>', 'of the assignment; see: ponto identity assignments')
    .description('take a role away')
    .action(async (id: string) => {
      await openManagementClient({ folder: context.folder }).call(`role-assignments/${encodeURIComponent(id)}`, {
        method: 'DELETE',
      })
      if (context.format() === 'table') context.stdout.write(`Deleted ${id}.\n`)
    })
}

/** What the identity libraries of the vendor read: the first four for a client secret, the last two for a managed identity. */
function tellVariables(
  context: CommandContext,
  { server }: ManagementClient,
  { tenantId, appId, secret }: ServicePrincipalView,
  shell: Shell = guessShell(context.env.SHELL, process.platform),
): void {
  const url = server.httpsUrl ?? server.httpUrl
  if (context.format() !== 'table' || secret === undefined || url === undefined) return
  const variables: readonly Variable[] = [
    ['AZURE_AUTHORITY_HOST', url],
    ['AZURE_TENANT_ID', tenantId],
    ['AZURE_CLIENT_ID', appId],
    ['AZURE_CLIENT_SECRET', secret],
    ['IDENTITY_ENDPOINT', `${url}/msi/token`],
    ['IDENTITY_HEADER', secret],
  ]
  const lines = variables.map((variable) => `  ${formatExport(variable, shell)}`)
  context.stderr.write(
    `\nFor a client secret the first four, for a managed identity the last two:\n${lines.join('\n')}\n` +
      'With a client secret, libraries need their instance discovery switched off.\n',
  )
}

function collect(value: string, before: string[]): string[] {
  return [...before, value]
}

function parseSpan(text: string): number {
  const span = parseDurationMs(text)
  if (span === undefined) throw new InvalidArgumentError('It is a span: 90s, 30m, 1h or 2d.')
  return span
}

function parseExpiry(text: string, now: number): string {
  const span = parseDurationMs(text)
  const time = span === undefined ? parseTime(text) : now + span
  if (time === undefined) throw new InvalidArgumentError('It is a date, a time with its zone, or a span such as 90d.')
  return new Date(time).toISOString()
}

function parseShell(text: string): Shell {
  const found = shells.find((shell) => shell === text)
  if (!found) throw new InvalidArgumentError(`It is one of ${shells.join(', ')}.`)
  return found
}
