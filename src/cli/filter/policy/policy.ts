import type { Command } from 'commander'
import type { PolicyView } from '../../../control/api.ts'
import type { CommandContext } from '../../context.ts'
import { openManagementClient } from '../../management-client.ts'
import { type Column, formatTime, printList } from '../../terminal/print.ts'
import { describeSource } from '../describe-source.ts'
import { defineChoices } from './choices.ts'
import { filterFormHelp } from './filter-form.ts'
import { applyChange, type PolicyDocument, readPolicyFile } from './policy-document.ts'
import { addPolicyFlags, type PolicyFlags } from './policy-flags.ts'
import { showPolicy } from './show-policy.ts'

const columns: readonly Column<PolicyView>[] = [
  { title: 'name', read: (row) => row.name },
  { title: 'base', read: (row) => (row.type === 'SystemManaged' ? '-' : row.basePolicyName) },
  { title: 'mode', read: (row) => row.mode },
  { title: 'filters', read: (row) => String(row.effectiveFilters.length) },
  { title: 'blocklists', read: (row) => uniqueNames(row.customBlocklists.map((list) => list.blocklistName)) },
  { title: 'topics', read: (row) => uniqueNames(row.customTopics.map((topic) => topic.topicName)), isOptional: true },
  { title: 'deployments', read: (row) => row.deployments.join(', ') },
  { title: 'declared in', read: describeSource },
  { title: 'changed', read: (row) => (row.source.kind === 'system' ? '' : formatTime(row.updatedAt)) },
]

function uniqueNames(names: readonly string[]): string {
  return [...new Set(names)].join(', ')
}

const pathOf = (name: string): string => `rai-policies/${encodeURIComponent(name)}`

/** `ponto filter policy ...`: what is done about which content, on which side. */
export function definePolicy(group: Command, context: CommandContext): void {
  group.description('which content is blocked or annotated, on which side').addHelpText(
    'after',
    `
A deployment has one policy: ponto deployment update NAME --rai-policy POLICY.

Examples:
  ponto filter policy choices
  ponto filter policy list
  ponto filter policy show Microsoft.DefaultV2
  ponto filter policy create strict --filter hate:Low --filter violence:Low --blocklist offices:Prompt
  ponto filter policy update strict --filter profanity:Completion:annotate
  ponto filter policy delete strict`,
  )
  group
    .command('list')
    .description('all policies, those that come with Ponto among them')
    .action(async () => {
      const { value } = await openManagementClient(context).call<{ value: PolicyView[] }>('rai-policies')
      await printList(context, value, columns, 'There are no policies.')
    })
  group
    .command('show')
    .description('one policy in full, with the filters of its base policy')
    .argument('<name>', 'in any case')
    .action(async (name: string) => {
      await showPolicy(context, await openManagementClient(context).call<PolicyView>(pathOf(name)))
    })
  defineCreate(group.command('create').argument('[name]', 'name that deployments ask for'), context)
  defineUpdate(group.command('update').argument('<name>', 'in any case'), context)
  defineChoices(group.command('choices'), context)
  const remove = group.command('delete').description('remove a policy that no deployment has')
  remove
    .argument('<name>', 'in any case')
    .option('--dry-run', 'say whether it could be removed, and change nothing')
    .action(async (name: string) => {
      const { dryRun } = remove.opts()
      await openManagementClient(context).call(writePathOf(name, dryRun), { method: 'DELETE' })
      const done = dryRun ? `${name} would be deleted: nothing was changed.` : `Deleted ${name}.`
      if (context.format() === 'table') context.stdout.write(`${done}\n`)
    })
}

function defineCreate(command: Command, context: CommandContext): void {
  command.description('make a policy; one that exists is left alone')
  const flags = addWriteFlags(command, { removes: false })
  command.addHelpText(
    'after',
    `${filterFormHelp}
What is not named is as in the base policy. --engine, --combine and --on-error belong to the --filter before them, those
before the first one to all. A file is as "raiPolicies" in the configuration file has it, or as Azure's management API.

Examples:
  ponto filter policy create strict --filter hate:Low --filter "self-harm:Low" --filter jailbreak:Prompt:block
  ponto filter policy create bank --pii CreditCardNumber:block --pii Email:redact --restore-redacted yes
  ponto filter policy create guarded --filter hate --engine guard --engine builtin --combine vote --on-error closed
  ponto filter policy create offices --base Microsoft.Nil --blocklist offices:Prompt --mode Asynchronous_filter
  ponto filter policy create --file policy.json --dry-run`,
  )
  command.action(async (name: string | undefined) => {
    const written = await readWritten(command, context, flags, name, {})
    const headers = { 'if-none-match': '*' }
    await write(command, context, written.name, written.document, headers)
  })
}

function defineUpdate(command: Command, context: CommandContext): void {
  command.description('change a policy; what is not named stays')
  const flags = addWriteFlags(command, { removes: true })
  command.addHelpText(
    'after',
    `${filterFormHelp}
Of a filter that is set, what is not named stays too; its engines and types of personal data are replaced as a whole, and
--file replaces everything. Deployments that have the policy use the new one at once.

Examples:
  ponto filter policy update strict --filter hate:Prompt:Medium
  ponto filter policy update strict --filter sexual:off --blocklist offices --mode Asynchronous_filter
  ponto filter policy update strict --remove-filter profanity --remove-blocklist offices:Completion`,
  )
  command.action(async (name: string) => {
    if (!flags.isUsed() && command.opts().file === undefined) command.error('error: nothing to change was named')
    const client = openManagementClient(context)
    const { etag, ...current } = await client.call<PolicyView>(pathOf(name))
    const written = await readWritten(command, context, flags, name, writableOf(current))
    await write(command, context, name, written.document, { 'if-match': etag })
  })
}

/** Without what only the server says. */
function writableOf(view: Omit<PolicyView, 'etag'>): PolicyDocument {
  const { name, source, createdAt, updatedAt, type, effectiveFilters, deployments, ...document } = view
  return document as PolicyDocument
}

function addWriteFlags(command: Command, rules: { readonly removes: boolean }): PolicyFlags {
  const flags = addPolicyFlags(command, rules)
  command
    .option('--file <policy>', 'read everything from a YAML or JSON file, - for standard input')
    .option('--dry-run', 'show what would be, and change nothing')
  return flags
}

async function readWritten(
  command: Command,
  context: CommandContext,
  flags: PolicyFlags,
  name: string | undefined,
  current: PolicyDocument,
): Promise<{ readonly name: string; readonly document: object }> {
  const { file } = command.opts()
  if (file !== undefined) {
    if (flags.isUsed()) command.error('error: --file says everything; leave --filter and the other flags away')
    return readPolicyFile(context, file, name)
  }
  if (!name) return command.error('error: a name is missing: ponto filter policy create NAME --filter hate:Low')
  return { name, document: applyChange(current, flags.read(command)) }
}

async function write(
  command: Command,
  context: CommandContext,
  name: string,
  body: object,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const { dryRun } = command.opts()
  const client = openManagementClient(context)
  await showPolicy(context, await client.call<PolicyView>(writePathOf(name, dryRun), { method: 'PUT', body, headers }))
  if (dryRun) context.stderr.write('This is what would be: nothing was changed.\n')
}

function writePathOf(name: string, isDryRun: boolean | undefined): string {
  return isDryRun ? `${pathOf(name)}?dryRun=true` : pathOf(name)
}
