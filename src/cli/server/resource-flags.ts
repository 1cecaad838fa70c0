import { type Command, InvalidArgumentError, Option } from 'commander'
import { isJsonObject, type JsonObject } from '../../core/json.ts'

const words = { on: true, off: false } as const

/** `--flag on` or `--flag off`. */
function makeSwitch(flags: string, text: string): Option {
  return new Option(flags, text).argParser((value: string) => {
    if (Object.hasOwn(words, value)) return words[value as keyof typeof words]
    throw new InvalidArgumentError('It is on or off.')
  })
}

const collect = (value: string, previous: readonly string[] | undefined): string[] => [...(previous ?? []), value]

/** The flags that describe a resource. Gives the function that makes a merge patch of those that were used. */
export function addResourceFlags(command: Command): () => JsonObject {
  command
    .option('--location <region>', 'where it is said to be: eastus, westeurope; nothing acts on it')
    .addOption(new Option('--kind <kind>', 'what it is said to be').choices(['AIServices', 'OpenAI']))
    .option('--resource-group <name>', 'of it, for clients of the management API of Azure')
    .option('--subscription <guid>', 'of it, likewise')
    .option('--subdomain <label>', 'a further name for its hosts; once it is there it stays')
    .option('--tag <name=value>', 'a label of your own, repeatable; an empty value takes it away', readTag)
    .addOption(makeSwitch('--local-auth <on|off>', 'whether keys open it; off: only tokens do'))
    .addOption(makeSwitch('--public-access <on|off>', 'off: only this machine reaches it'))
    .addOption(
      new Option('--default-action <action>', 'for addresses that no --allow-address names').choices(['Allow', 'Deny']),
    )
    .option('--allow-address <range>', 'an address or range that may reach it, repeatable; replaces all', collect)
    .addOption(makeSwitch('--restrict-outbound <on|off>', 'on: backends must be at hosts of --allow-host'))
    .option('--allow-host <name>', 'a host that backends may be at, repeatable; replaces all', collect)
  return () => {
    const given = command.opts()
    const isGuarded = given.defaultAction !== undefined || given.allowAddress !== undefined
    const acls: JsonObject | undefined = isGuarded
      ? {
          // Whoever names addresses means those and no others.
          defaultAction: given.defaultAction ?? 'Deny',
          ...(given.allowAddress && { ipRules: given.allowAddress.map((value: string) => ({ value })) }),
        }
      : undefined
    const properties = present({
      customSubDomainName: given.subdomain,
      disableLocalAuth: given.localAuth === undefined ? undefined : !given.localAuth,
      publicNetworkAccess: given.publicAccess === undefined ? undefined : given.publicAccess ? 'Enabled' : 'Disabled',
      networkAcls: acls,
      restrictOutboundNetworkAccess: given.restrictOutbound,
      allowedFqdnList: given.allowHost,
    })
    return present({
      location: given.location,
      kind: given.kind,
      resourceGroup: given.resourceGroup,
      subscriptionId: given.subscription,
      tags: given.tag,
      properties: Object.keys(properties).length > 0 ? properties : undefined,
    })
  }
}

function readTag(text: string, previous: JsonObject | undefined): JsonObject {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It is a name and a value: team=a.')
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) || null }
}

function present(fields: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as JsonObject
}

/** Without what a merge patch takes away: there is nothing yet. */
export function withoutNulls(document: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(document).flatMap(([name, value]) => {
      if (value === null) return []
      return [[name, isJsonObject(value) ? withoutNulls(value) : value]]
    }),
  )
}
