import { type Command, InvalidArgumentError, Option } from 'commander'
import type { DeploymentView } from '../../control/api.ts'
import { modelTypes } from '../../core/deployment.ts'
import type { JsonObject } from '../../core/json.ts'
import type { DeploymentInput } from '../../snapshot/deployment-spec.ts'
import type { CommandContext } from '../context.ts'
import { openManagementClient } from '../management-client.ts'
import { defineActions } from './actions.ts'
import { addBackendFlags, type BackendFlags, backendFlagsHelp } from './backend-flags.ts'
import { addCapacityFlags, type CapacityFlags } from './capacity-flags.ts'
import { pathOf } from './path.ts'
import { defineReaders } from './readers.ts'
import { showDeployment } from './show.ts'
import { readSpecFile } from './spec-file.ts'

/** `ponto deployment ...`: each command is one call of the management API. */
export function defineDeployment(group: Command, context: CommandContext): void {
  group.addHelpText(
    'after',
    `
Examples:
  ponto deployment list
  ponto deployment create Mistral-large --model builtin-nano
  ponto deployment update gpt-4o --sku GlobalStandard --capacity 80
  ponto deployment update gpt-4o --rai-policy strict
  ponto deployment pause gpt-4o
  ponto deployment delete gpt-4o`,
  )
  defineCreate(group.command('create').argument('[name]', 'name that clients ask for'), context)
  defineUpdate(group.command('update').argument('<name>', 'in any case'), context)
  defineReaders(group, context)
  defineActions(group, context)
}

type SpecFlags = { readonly backends: BackendFlags; readonly capacity: CapacityFlags }

function defineCreate(command: Command, context: CommandContext): void {
  command.description('make a deployment; one that exists is left alone')
  const flags = addSpecFlags(command, context, { removes: false })
  command.addHelpText(
    'after',
    `${backendFlagsHelp}

Examples:
  ponto deployment create Mistral-large --model builtin-nano
  ponto deployment create gpt-4o --model gpt-4o --sku GlobalStandard --capacity 80 --credential-stdin \\
    --backend https://contoso.openai.azure.com --protocol azure-openai --api-version 2024-10-21 < key.txt
  ponto deployment create fast --model llama --rate-limit request=10/10s,token=80000/min \\
    --backend http://10.0.0.5:8000/v1 --weight 3 --backend http://10.0.0.6:8000/v1
  ponto deployment create --file spec.yaml --dry-run`,
  )
  command.action(async (name: string | undefined) => {
    const client = openManagementClient(context)
    const spec = command.opts().file
      ? await readFile(command, context, flags, name)
      : await readCreateFlags(command, flags, name)
    const { name: path, ...body } = spec
    const headers = { 'if-none-match': '*' }
    const view = await client.call<DeploymentView>(writePathOf(command, path), { method: 'PUT', body, headers })
    await showWritten(command, context, view)
  })
}

function defineUpdate(command: Command, context: CommandContext): void {
  command.description('change a deployment; what is not named stays')
  const flags = addSpecFlags(command, context, { removes: true })
  command.option('--built-in', 'run it on the built-in engine from now on')
  command.addHelpText(
    'after',
    `${backendFlagsHelp.split('\nWithout')[0]}
Backends are replaced as a whole, --file replaces everything.

Examples:
  ponto deployment update gpt-4o --model-version 2024-11-20 --dry-run
  ponto deployment update gpt-4o --capacity 120 --version-upgrade-option NoAutoUpgrade
  ponto deployment update gpt-4o --backend https://api.example.com/v1 --credential-env PONTO_SECRET_EXAMPLE
  ponto deployment update gpt-4o --built-in --model builtin-nano --no-sku`,
  )
  command.action(async (name: string) => {
    const client = openManagementClient(context)
    const path = writePathOf(command, name)
    if (command.opts().file) {
      const { name: _name, ...body } = await readFile(command, context, flags, name)
      const headers = { 'if-match': (await client.call<DeploymentView>(pathOf(name))).etag }
      const view = await client.call<DeploymentView>(path, { method: 'PUT', body, headers })
      return showWritten(command, context, view)
    }
    const body = await readUpdateFlags(command, flags)
    await showWritten(command, context, await client.call<DeploymentView>(path, { method: 'PATCH', body }))
  })
}

function addSpecFlags(command: Command, context: CommandContext, rules: { readonly removes: boolean }): SpecFlags {
  command
    .option('--model <name>', 'name of the model; with --backend that of the deployment unless given')
    .option('--model-version <version>', 'its version; the default one of the catalog unless given')
    .option('--model-format <format>', 'its publisher, as Azure lists it')
    .addOption(new Option('--model-source <id>').argParser(refuseSource).hideHelp())
    .addOption(
      new Option('--model-type <type>', 'what it is for, where that is one thing').choices(Object.keys(modelTypes)),
    )
  const capacity = addCapacityFlags(command, rules)
  command
    .option('--file <spec>', 'read everything from a YAML or JSON file, - for standard input')
    .option('--dry-run', 'show what would be, and change nothing')
  return { backends: addBackendFlags(command, context), capacity }
}

/** A flag of the vendor's command line that nothing here could follow. */
function refuseSource(): never {
  throw new InvalidArgumentError('Models come from the catalog and from backends, not from other resources.')
}

async function readCreateFlags(
  command: Command,
  { backends, capacity }: SpecFlags,
  name: string | undefined,
): Promise<DeploymentInput> {
  if (!name) return command.error('error: a name is missing: ponto deployment create NAME --model MODEL')
  const named = readModelFlags(command)
  // Most deployments are called like the model that an upstream runs for them.
  const model = named.name ?? (backends.isUsed() ? name : undefined)
  if (!model) return command.error('error: --model is missing: the name of the model it serves')
  const { sku, capacity: units } = command.opts()
  if (units !== undefined && sku === undefined) {
    command.error('error: --capacity is units of a SKU: --sku is missing')
  }
  const list = await backends.read(command)
  return {
    name,
    model: { ...named, name: model },
    ...(capacity.read(command) as Partial<DeploymentInput>),
    ...(list ? { backends: list } : {}),
  }
}

/** The merge patch that the flags describe. */
async function readUpdateFlags(command: Command, { backends, capacity }: SpecFlags): Promise<JsonObject> {
  const { builtIn } = command.opts()
  if (builtIn && backends.isUsed()) command.error('error: --built-in and --backend exclude each other')
  const model = readModelFlags(command)
  const list = await backends.read(command)
  const body = {
    ...(Object.keys(model).length > 0 ? { model } : {}),
    ...capacity.read(command),
    ...(builtIn ? { backends: null } : list ? { backends: list as unknown as JsonObject[] } : {}),
  }
  if (Object.keys(body).length === 0) command.error('error: nothing to change was named')
  return body
}

function readModelFlags(command: Command): Partial<DeploymentInput['model']> {
  const { modelFormat: format, model: name, modelVersion: version, modelType: type } = command.opts()
  return Object.fromEntries(Object.entries({ format, name, version, type }).filter(([, value]) => value))
}

function readFile(
  command: Command,
  context: CommandContext,
  { backends, capacity }: SpecFlags,
  name: string | undefined,
): Promise<DeploymentInput> {
  const isSaidTwice = backends.isUsed() || capacity.isUsed(command) || Object.keys(readModelFlags(command)).length > 0
  if (isSaidTwice) command.error('error: --file says everything; leave --model and the other flags away')
  return readSpecFile(context, command.opts().file, name)
}

function writePathOf(command: Command, name: string): string {
  return command.opts().dryRun ? `${pathOf(name)}?dryRun=true` : pathOf(name)
}

async function showWritten(command: Command, context: CommandContext, view: DeploymentView): Promise<void> {
  await showDeployment(context, view)
  if (command.opts().dryRun) context.stderr.write('This is what would be: nothing was changed.\n')
}
