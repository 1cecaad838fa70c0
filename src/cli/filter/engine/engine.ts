import { type Command, InvalidArgumentError } from 'commander'
import type { EngineProbe, EngineView } from '../../../control/api.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import type { EngineInput } from '../../../snapshot/filter/engine-spec.ts'
import type { CommandContext } from '../../context.ts'
import { openManagementClient } from '../../management-client.ts'
import { type Column, formatTime, printFacts, printList } from '../../terminal/print.ts'
import { readDocumentFile, requireName } from '../../terminal/read-file.ts'
import { readSecret } from '../../terminal/read-secret.ts'
import { parseSecretVariable } from '../../terminal/secret-variable.ts'
import { describeSource } from '../describe-source.ts'
import { defineKinds } from './kinds.ts'

const columns: readonly Column<EngineView>[] = [
  { title: 'name', read: (row) => row.name },
  { title: 'kind', read: describeKind },
  { title: 'asks', read: describePlace },
  { title: 'judges', read: (row) => row.categories.join(', ') },
  { title: 'policies', read: (row) => row.policies.join(', ') },
  { title: 'declared in', read: describeSource },
]

const pathOf = (name: string): string => `filter-engines/${encodeURIComponent(name)}`

/** `ponto filter engine ...`: what judges texts besides the built-in engine. */
export function defineEngine(group: Command, context: CommandContext): void {
  group.description('guard models and safety services that judge texts').addHelpText(
    'after',
    `
The built-in engine needs no entry here: policies call it "builtin". It knows words and phrasings, not meaning; an engine
with a guard model knows more. Any deployment can serve the guard model.

Examples:
  ponto filter engine kinds
  ponto filter engine create guard --kind guard --deployment qwen3guard --profile qwen3guard
  ponto filter engine show guard --probe
  ponto filter policy update strict --filter hate --engine guard --engine builtin`,
  )
  group
    .command('list')
    .description('all engines but the built-in one')
    .action(async () => {
      const { value } = await openManagementClient(context).call<{ value: EngineView[] }>('filter-engines')
      const whenEmpty =
        'There are no engines but the built-in one. Make one with: ponto filter engine create NAME --kind KIND'
      await printList(context, value, columns, whenEmpty)
    })
  defineShow(group, context)
  defineCreate(group.command('create').argument('[name]', 'name that policies ask for'), context)
  group
    .command('delete')
    .description('remove an engine that no policy has')
    .argument('<name>', 'in any case')
    .action(async (name: string) => {
      await openManagementClient(context).call(pathOf(name), { method: 'DELETE' })
      if (context.format() === 'table') context.stdout.write(`Deleted ${name}.\n`)
    })
  defineKinds(group.command('kinds'), context)
}

function defineShow(group: Command, context: CommandContext): void {
  const show = group.command('show').description('one engine in full; its credential is not shown')
  show
    .argument('<name>', 'in any case')
    .option('--probe', 'ask it about a harmless text, and say how long it took')
    .action(async (name: string) => {
      const client = openManagementClient(context)
      const view = await client.call<EngineView>(pathOf(name))
      const probe = show.opts().probe ? await client.call<EngineProbe>(`${pathOf(name)}/probe`) : undefined
      await printFacts(context, probe ? { ...view, probe } : view, factsOf(view, probe))
      if (probe && !probe.ok) context.exitWith(1)
    })
}

function defineCreate(command: Command, context: CommandContext): void {
  command
    .description('make an engine; one that exists is left alone')
    .option('--kind <kind>', 'what it is: guard for a model that a deployment serves, or a service; see "kinds"')
    .option('--deployment <name>', 'of kind guard: the deployment that serves the model')
    .option('--profile <name>', 'of kind guard: how the model is asked; see "kinds"')
    .option('--url <url>', 'of services: the address')
    .option('--api-version <version>', 'of a service that has versions')
    .option('--option <name=value>', 'what the kind takes besides; repeat it for several', addOption)
    .option(
      '--credential-env <name>',
      'variable of the server that holds the credential: PONTO_SECRET_...',
      parseSecretVariable,
    )
    .option('--credential-stdin', 'read the credential from standard input, or ask for it')
    .option('--prompt-deadline <ms>', 'how long it may take for a prompt, in milliseconds', parseWhole)
    .option('--window-deadline <ms>', 'how long for a part of an answer, in milliseconds', parseWhole)
    .option('--max-chars <number>', 'how many characters it takes at once', parseWhole)
    .option('--file <engine>', 'read everything from a YAML or JSON file, - for standard input')
    .option('--dry-run', 'show what would be, and change nothing')
    .addHelpText(
      'after',
      `
Values of --option are texts; numbers, lists and objects are written as JSON.

Examples:
  ponto filter engine create guard --kind guard --deployment qwen3guard --profile qwen3guard
  ponto filter engine create judge --kind guard --deployment gpt-4o --profile judge --option maxTokens=400
  ponto filter engine create own --kind http --url https://safety.example.com/v1 --credential-stdin < key.txt
  ponto filter engine create own --kind http --url https://safety.example.com/v1 --option 'labels={"toxic":"hate"}'
  ponto filter engine create --file engine.yaml --dry-run`,
    )
    .action(async (name: string | undefined) => {
      const { dryRun } = command.opts()
      const { name: path, ...body } = await readEngine(command, context, name)
      const client = openManagementClient(context)
      const headers = { 'if-none-match': '*' }
      const target = dryRun ? `${pathOf(path)}?dryRun=true` : pathOf(path)
      const view = await client.call<EngineView>(target, { method: 'PUT', body, headers })
      await printFacts(context, view, factsOf(view))
      if (dryRun) context.stderr.write('This is what would be: nothing was changed.\n')
    })
}

async function readEngine(command: Command, context: CommandContext, name: string | undefined): Promise<EngineInput> {
  const { file, dryRun: _dryRun, ...flags } = command.opts()
  if (file !== undefined) {
    if (Object.keys(flags).length > 0)
      command.error('error: --file says everything; leave --kind and the other flags away')
    const document = await readDocumentFile(context, file, 'engine: name, kind, deployment or url')
    // Everything else is the server's to judge: it knows the rules and names the field.
    return { ...(document as unknown as EngineInput), name: requireName(document, file, name, 'engine') }
  }
  const {
    kind,
    deployment,
    profile,
    url,
    apiVersion,
    option: options,
    credentialEnv,
    credentialStdin,
    maxChars,
  } = flags
  if (!name) return command.error('error: a name is missing: ponto filter engine create NAME --kind KIND')
  if (!kind) return command.error('error: --kind is missing: "ponto filter engine kinds" lists them')
  if (credentialEnv && credentialStdin) {
    command.error('error: an engine has one credential: --credential-env or --credential-stdin')
  }
  const { promptDeadline: prompt, windowDeadline: window } = flags
  const secret = credentialStdin ? await readSecret(context, `Credential for ${name}: `) : undefined
  const document = {
    kind,
    deployment,
    profile,
    url,
    apiVersion,
    options,
    maxChars,
    credential: credentialEnv ? { env: credentialEnv } : secret === undefined ? undefined : { value: secret },
    deadlineMs: prompt || window ? withoutGaps({ prompt, window }) : undefined,
  }
  return { name, ...withoutGaps(document) } as EngineInput
}

function withoutGaps(document: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(document).filter(([, value]) => value !== undefined))
}

/** `maxTokens=400`; a value that is JSON but no text stays what it is. */
function addOption(text: string, previous: JsonObject = {}): JsonObject {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It is written NAME=VALUE.')
  const name = text.slice(0, at)
  if (Object.hasOwn(previous, name)) throw new InvalidArgumentError(`"${name}" is given twice.`)
  return { ...previous, [name]: readValue(text.slice(at + 1)) }
}

function readValue(text: string): Json {
  try {
    const value: Json = JSON.parse(text)
    if (typeof value === 'number' || Array.isArray(value) || isJsonObject(value)) return value
  } catch {
    // A text as it stands.
  }
  return text
}

function parseWhole(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 1 on.')
}

function describeKind({ kind, profile }: EngineView): string {
  return profile ? `${kind} (${profile})` : kind
}

function describePlace({ deployment, url }: EngineView): string {
  if (deployment) return `deployment ${deployment}`
  return url ? new URL(url).host : 'the address of its kind'
}

function factsOf(view: EngineView, probe?: EngineProbe): (readonly [string, string])[] {
  const { url, apiVersion, credential, deadlineMs, maxChars, options } = view
  return [
    ['Name', view.name],
    ['Kind', describeKind(view)],
    ['Asks', url ?? describePlace(view)],
    ...(apiVersion ? [['API version', apiVersion] as const] : []),
    ['Credential', credential ? ('env' in credential ? `from ${credential.env}` : 'stored') : 'none'],
    ['Judges', view.categories.join(', ')],
    ...(deadlineMs
      ? [['Deadline', `${deadlineMs.prompt} ms for a prompt, ${deadlineMs.window} ms for a part of an answer`] as const]
      : []),
    ...(maxChars ? [['At once', `${maxChars.toLocaleString('en-US')} characters`] as const] : []),
    ...Object.entries(options ?? {}).map(([name, value]) => ['Option', `${name}: ${describeValue(value)}`] as const),
    ['Policies', view.policies.join(', ') || 'none'],
    ['Declared in', describeSource(view)],
    ['Changed', formatTime(view.updatedAt)],
    ...(probe
      ? [['Probe', `${probe.ok ? 'answers' : 'FAILS'} after ${probe.ms.toFixed(0)} ms: ${probe.detail}`] as const]
      : []),
  ]
}

function describeValue(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
