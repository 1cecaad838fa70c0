import { type Command, InvalidArgumentError } from 'commander'
import type { KeyView, NamedKeyView } from '../../control/api.ts'
import type { CommandContext } from '../context.ts'
import { openManagementClient } from '../management-client.ts'
import { confirm } from '../terminal/confirm.ts'
import { printList } from '../terminal/print.ts'
import { parseDurationMs } from '../terminal/times.ts'
import { type AnyKey, keyColumns, showKey } from './show-key.ts'
import { addTermsFlags } from './terms-flags.ts'

const pathOf = (name: string): string => `named-keys/${encodeURIComponent(name)}`
const isOwnName = (name: string): boolean => /^key[12]$/i.test(name)

/**
 * `ponto key ...`: the two keys of the resource, and named ones, each with an owner, deployments and limits of its own. They open the
 * data plane, none of them the management API. `now` is unix milliseconds.
 */
export function defineKey(group: Command, context: CommandContext, now: () => number = Date.now): void {
  group.addHelpText(
    'after',
    `
Examples:
  ponto key list
  ponto key create ci --owner "build team" --deployment gpt-4o --requests-per-minute 60
  ponto key rotate ci --overlap 1h                the old secret goes on for an hour
  ponto key revoke ci
  ponto key regenerate key2                       key1 stays valid, so clients can move over first`,
  )
  defineReaders(group, context)
  defineCreate(group.command('create').argument('<name>', 'of the key'), context, now)
  defineUpdate(group.command('update').argument('<name>', 'in any case'), context, now)
  defineRotate(group, context)
  defineEnds(group, context)
  defineRegenerate(group, context)
}

function defineReaders(group: Command, context: CommandContext): void {
  group
    .command('list')
    .description("the resource's two keys, in full, and the named ones")
    .action(async () => {
      const client = openManagementClient(context)
      const own = await client.call<{ value: KeyView[] }>('keys')
      const named = await client.call<{ value: NamedKeyView[] }>('named-keys')
      await printList<AnyKey>(context, [...own.value, ...named.value], keyColumns, 'There are no keys.')
    })
  group
    .command('show')
    .description('one key; the secret of a named one is not stored and cannot be shown')
    .argument('<name>', 'in any case')
    .action(async (name: string) => {
      const client = openManagementClient(context)
      const own = isOwnName(name) ? (await client.call<{ value: KeyView[] }>('keys')).value : []
      const found = own.find((key) => key.name === name.toLowerCase())
      await showKey(context, found ?? (await client.call<NamedKeyView>(pathOf(name))))
    })
}

function defineCreate(command: Command, context: CommandContext, now: () => number): void {
  const readTerms = addTermsFlags(command.description('make a key; its secret is printed this once'), now)
  command.addHelpText(
    'after',
    `
Examples:
  ponto key create ci --owner "build team" --deployment gpt-4o --deployment embed --expires 30d
  ponto key create ada --tokens-per-minute 10000 --budget tokens/day=100000 --budget cost/month=50
  secret=$(ponto key create ci --output json | jq -r .secret)`,
  )
  command.action(async (name: string) => {
    const named = Object.entries(readTerms()).filter(([, value]) => value !== null)
    const client = openManagementClient(context)
    const headers = { 'if-none-match': '*' }
    const view = await client.call<NamedKeyView>(pathOf(name), {
      method: 'PUT',
      body: Object.fromEntries(named),
      headers,
    })
    await showKey(context, view)
  })
}

function defineUpdate(command: Command, context: CommandContext, now: () => number): void {
  const readTerms = addTermsFlags(command.description('change a key; what is not named stays'), now)
  command.addHelpText(
    'after',
    `
Deployments and budgets are replaced as a whole.

Examples:
  ponto key update ci --deployment gpt-4o --deployment embed
  ponto key update ci --tokens-per-minute none --budget none --expires never`,
  )
  command.action(async (name: string) => {
    const body = readTerms()
    if (Object.keys(body).length === 0) command.error('error: nothing to change was named')
    const client = openManagementClient(context)
    await showKey(context, await client.call<NamedKeyView>(pathOf(name), { method: 'PATCH', body }))
  })
}

function defineRotate(group: Command, context: CommandContext): void {
  const command = group.command('rotate').argument('<name>', 'in any case')
  command
    .description('give a key a new secret, which is printed this once')
    .option('--overlap <span>', 'how long the old secret goes on: 1h, 30m, 2d; without it not at all', (text) => {
      const span = parseDurationMs(text)
      if (span === undefined) throw new InvalidArgumentError('It is a span: 90s, 30m, 1h or 2d.')
      return span
    })
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      `
Examples:
  ponto key rotate ci --overlap 1h                clients can move over within the hour
  secret=$(ponto key rotate ci --yes --output json | jq -r .secret)`,
    )
    .action(async (name: string) => {
      const { overlap = 0, yes } = command.opts()
      if (overlap === 0 && !yes) await confirm(context, `The secret that ${name} has now stops working at once. Go on?`)
      const client = openManagementClient(context)
      const body = { overlapSeconds: overlap / 1000 }
      await showKey(context, await client.call<NamedKeyView>(`${pathOf(name)}/rotate`, { method: 'POST', body }))
    })
}

function defineEnds(group: Command, context: CommandContext): void {
  const revoke = group.command('revoke').argument('<name>', 'in any case').option('-y, --yes', 'do not ask')
  revoke
    .description('end a key for good; its holder is told so. Answers that are running finish')
    .addHelpText('after', '\nExamples:\n  ponto key revoke ci\n  ponto key revoke ci --yes')
    .action(async (name: string) => {
      if (!revoke.opts().yes) await confirm(context, `Revoking ${name} cannot be undone. Go on?`)
      const client = openManagementClient(context)
      await showKey(context, await client.call<NamedKeyView>(`${pathOf(name)}/revoke`, { method: 'POST' }))
    })
  const remove = group.command('delete').argument('<name>', 'in any case').option('-y, --yes', 'do not ask')
  remove
    .description('remove a key: to the server its secret is then like any other wrong one')
    .addHelpText('after', '\nExamples:\n  ponto key delete ci\n  ponto key delete ci --yes')
    .action(async (name: string) => {
      if (!remove.opts().yes) await confirm(context, `Deleting ${name} cannot be undone. Go on?`)
      await openManagementClient(context).call(pathOf(name), { method: 'DELETE' })
      if (context.format() === 'table') context.stdout.write(`Deleted ${name}.\n`)
    })
}

function defineRegenerate(group: Command, context: CommandContext): void {
  const command = group.command('regenerate').argument('<name>', 'key1 or key2')
  command
    .description('replace one of the two keys of the resource; the other stays valid')
    .addHelpText('after', '\nExamples:\n  ponto key regenerate key2')
    .action(async (name: string) => {
      if (name !== 'key1' && name !== 'key2') {
        command.error(
          `error: "${name}" is not a key of the resource: key1 or key2. For a named one: ponto key rotate ${name}`,
        )
      }
      const client = openManagementClient(context)
      const view = await client.call<KeyView>(`keys/${name}/regenerate`, { method: 'POST' })
      await printList<AnyKey>(context, [view], keyColumns, '')
    })
}
