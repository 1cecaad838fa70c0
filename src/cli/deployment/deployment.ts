import { readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { errorCode } from '../../boot/private-file.ts'
import type { BackendView, DeploymentView, ModelView } from '../../control/api.ts'
import { modelTypes } from '../../core/deployment.ts'
import { Fault } from '../../core/fault.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { DeploymentInput } from '../../snapshot/deployment-spec.ts'
import type { CommandContext } from '../context.ts'
import { type ManagementClient, openManagementClient } from '../management-client.ts'
import { formatTime, printFacts, printList } from '../print.ts'
import { readAll } from '../read-secret.ts'
import { addBackendFlags, backendFlagsHelp } from './backend-flags.ts'

const largestSpec = 1_048_576

/** `ponto deployment ...`: each command is one call of the management API. */
export function defineDeployment(group: Command, context: CommandContext): void {
  group.addHelpText(
    'after',
    `
Examples:
  ponto deployment list
  ponto deployment create Mistral-large --model builtin-nano
  ponto deployment update gpt-4o --upstream-model gpt-4o-2024-11-20 --backend https://api.example.com/v1
  ponto deployment delete gpt-4o`,
  )
  defineCreate(group.command('create').argument('[name]', 'name that clients ask for'), context)
  defineUpdate(group.command('update').argument('<name>', 'in any case'), context)
  defineReaders(group, context)
}

function defineCreate(command: Command, context: CommandContext): void {
  const backends = addSpecFlags(command.description('make a deployment; one that exists is left alone'), context)
  command.addHelpText(
    'after',
    `${backendFlagsHelp}

Examples:
  ponto deployment create Mistral-large --model builtin-nano
  ponto deployment create gpt-4o --model gpt-4o --credential-stdin \\
    --backend https://contoso.openai.azure.com --protocol azure-openai --api-version 2024-10-21 < key.txt
  ponto deployment create fast --model llama --backend http://10.0.0.5:8000/v1 --weight 3 --backend http://10.0.0.6:8000/v1
  ponto deployment create --file spec.yaml`,
  )
  command.action(async (name: string | undefined) => {
    const client = openManagementClient(context.folder())
    const spec = command.opts().file
      ? await readSpecFile(command, context, name)
      : await readSpecFlags(command, client, backends, name)
    const { name: path, ...body } = spec
    const headers = { 'if-none-match': '*' }
    const view = await client.call<DeploymentView>(pathOf(path), { method: 'PUT', body, headers })
    await showDeployment(context, view)
  })
}

function defineUpdate(command: Command, context: CommandContext): void {
  const backends = addSpecFlags(command.description('change a deployment; what is not named stays'), context)
  command.option('--built-in', 'run it on the built-in engine from now on')
  command.addHelpText(
    'after',
    `${backendFlagsHelp.split('\nWithout')[0]}
Backends are replaced as a whole, --file replaces everything.

Examples:
  ponto deployment update gpt-4o --model-version 2024-11-20
  ponto deployment update gpt-4o --backend https://api.example.com/v1 --credential-env PONTO_SECRET_EXAMPLE
  ponto deployment update gpt-4o --built-in --model builtin-nano`,
  )
  command.action(async (name: string) => {
    const client = openManagementClient(context.folder())
    if (command.opts().file) {
      const { name: _name, ...body } = await readSpecFile(command, context, name)
      const headers = { 'if-match': (await client.call<DeploymentView>(pathOf(name))).etag }
      return showDeployment(context, await client.call<DeploymentView>(pathOf(name), { method: 'PUT', body, headers }))
    }
    const { builtIn, model, modelFormat, modelVersion, modelType } = command.opts()
    if (builtIn && backends.isUsed()) command.error('error: --built-in and --backend exclude each other')
    const named = Object.entries({ format: modelFormat, name: model, version: modelVersion, type: modelType }).filter(
      ([, value]) => value,
    )
    const list = await backends.read(command)
    const body = {
      ...(named.length > 0 ? { model: Object.fromEntries(named) } : {}),
      ...(builtIn ? { backends: null } : list ? { backends: list } : {}),
    }
    if (Object.keys(body).length === 0) command.error('error: nothing to change was named')
    await showDeployment(context, await client.call<DeploymentView>(pathOf(name), { method: 'PATCH', body }))
  })
}

function defineReaders(group: Command, context: CommandContext): void {
  group
    .command('list')
    .description('all deployments')
    .action(async () => {
      const { value } = await openManagementClient(context.folder()).call<{ value: DeploymentView[] }>('deployments')
      const columns = [
        { title: 'name', read: (row: DeploymentView) => row.name },
        { title: 'model', read: (row: DeploymentView) => `${row.model.name} (${row.model.version})` },
        { title: 'runs on', read: (row: DeploymentView) => describePlace(row) },
        { title: 'declared in', read: (row: DeploymentView) => describeSource(row) },
        { title: 'changed', read: (row: DeploymentView) => formatTime(row.updatedAt) },
      ]
      await printList(
        context,
        value,
        columns,
        'There are no deployments. Make one with: ponto deployment create NAME --model MODEL',
      )
    })
  group
    .command('show')
    .description('one deployment in full')
    .argument('<name>', 'in any case')
    .action(async (name: string) => {
      await showDeployment(context, await openManagementClient(context.folder()).call<DeploymentView>(pathOf(name)))
    })
  group
    .command('delete')
    .description('remove a deployment; running requests finish')
    .argument('<name>', 'in any case')
    .action(async (name: string) => {
      await openManagementClient(context.folder()).call(pathOf(name), { method: 'DELETE' })
      if (context.format() === 'table') context.stdout.write(`Deleted ${name}.\n`)
    })
}

function addSpecFlags(command: Command, context: CommandContext) {
  command
    .option('--model <name>', 'name of the model; with --backend that of the deployment unless given')
    .option('--model-version <version>', 'its version')
    .option('--model-format <format>', 'its publisher, as Azure lists it')
    .addOption(
      new Option('--model-type <type>', 'what it is for, where that is one thing').choices(Object.keys(modelTypes)),
    )
    .option('--file <spec>', 'read everything from a YAML or JSON file, - for standard input')
  return addBackendFlags(command, context)
}

const pathOf = (name: string): string => `deployments/${encodeURIComponent(name)}`

async function readSpecFlags(
  command: Command,
  client: ManagementClient,
  flags: ReturnType<typeof addBackendFlags>,
  name: string | undefined,
): Promise<DeploymentInput> {
  const { modelFormat: format, modelVersion: version, modelType: type } = command.opts()
  if (!name) return command.error('error: a name is missing: ponto deployment create NAME --model MODEL')
  // Most deployments are called like the model that an upstream runs for them.
  const model = command.opts().model ?? (flags.isUsed() ? name : undefined)
  if (!model) return command.error('error: --model is missing: the name of the model it serves')
  const backends = await flags.read(command)
  const known = backends ? undefined : await findModel(client, model)
  return {
    name,
    model: {
      name: known?.name ?? model,
      ...((format ?? known) ? { format: format ?? known?.format } : {}),
      ...((version ?? known) ? { version: version ?? known?.version } : {}),
      ...(type ? { type } : {}),
    },
    ...(backends ? { backends } : {}),
  }
}

/** The engine's own model of that name, so that its format and version need not be typed. */
async function findModel(client: ManagementClient, name: string): Promise<ModelView | undefined> {
  const { value } = await client.call<{ value: ModelView[] }>('models')
  return value.find((model) => model.name.toLowerCase() === name.toLowerCase())
}

async function readSpecFile(
  command: Command,
  context: CommandContext,
  name: string | undefined,
): Promise<DeploymentInput> {
  const { file, model } = command.opts()
  if (model) command.error('error: --file says everything; leave --model and the other flags away')
  const { parseDocument } = await import('yaml')
  const document = parseDocument(file === '-' ? await readAll(context, largestSpec) : readSpec(file))
  const problem = document.errors[0]
  if (problem) throw new Fault('invalid-request', `${file}: ${problem.message.trimEnd()}`)
  const spec: unknown = document.toJS()
  if (!isJsonObject(spec as JsonObject))
    throw new Fault('invalid-request', `${file} holds no deployment: name, model, backends.`)
  const written = (spec as JsonObject).name
  if (name && typeof written === 'string' && written.toLowerCase() !== name.toLowerCase()) {
    throw new Fault('invalid-request', `${file} is about "${written}", not "${name}".`)
  }
  if (!name && typeof written !== 'string')
    throw new Fault('invalid-request', `${file} names no deployment; give it a "name".`)
  // Everything else is the server's to judge: it knows the rules and names the field.
  return { ...(spec as unknown as DeploymentInput), name: name ?? (written as string) }
}

function readSpec(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Fault('invalid-request', `${file} cannot be read (${errorCode(error) ?? 'unknown reason'}).`)
  }
}

async function showDeployment(context: CommandContext, view: DeploymentView): Promise<void> {
  await printFacts(context, view, [
    ['Name', view.name],
    ['Model', `${view.model.name}, version ${view.model.version}, format ${view.model.format}`],
    ...(view.backends
      ? view.backends.map((backend) => ['Backend', describeBackend(backend)] as const)
      : [['Runs on', 'built-in engine'] as const]),
    ['Declared in', describeSource(view)],
    ['Created', formatTime(view.createdAt)],
    ['Changed', formatTime(view.updatedAt)],
  ])
}

function describePlace(view: DeploymentView): string {
  if (!view.backends) return 'built-in engine'
  const [first] = view.backends
  const more = view.backends.length > 1 ? ` and ${view.backends.length - 1} more` : ''
  return `${first ? new URL(first.url).host : ''}${more}`
}

function describeBackend(backend: BackendView): string {
  const credential = backend.credential
  return [
    backend.url,
    backend.protocol + (backend.apiVersion ? ` ${backend.apiVersion}` : ''),
    ...(backend.model ? [`model ${backend.model}`] : []),
    `priority ${backend.priority}, weight ${backend.weight}`,
    credential ? ('env' in credential ? `credential from ${credential.env}` : 'credential stored') : 'no credential',
  ].join('; ')
}

function describeSource(view: DeploymentView): string {
  return view.source.kind === 'file' ? `${view.source.file}:${view.source.line}` : 'API or CLI'
}
