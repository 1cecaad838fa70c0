import { homedir } from 'node:os'
import { Command, CommanderError, Option } from 'commander'
import { locateDataFolder } from '../boot/folder/data-folder.ts'
import { Fault } from '../core/fault.ts'
import {
  type CommandContext,
  type Environment,
  type Input,
  type Output,
  outputFormats,
  type Probes,
} from './context.ts'
import { rewriteAzureFlags } from './deployment/azure-flags.ts'
import { defineUp, type UpOptions } from './server/up.ts'

/**
 * Exit codes; the launcher does not start a server again after `usage` and `refused`, and does after `unready`: what it needs is away and may be
 * back. Commands may have others: see their help.
 */
export const exitCodes = { done: 0, failed: 1, usage: 2, unready: 75, refused: 78 } as const

export type ProgramParts = {
  /** Runs the server until it is told to stop. */
  readonly up: (options: UpOptions) => Promise<void>
  readonly env: Environment
  readonly stdin: Input
  readonly stdout: Output
  readonly stderr: Output
  readonly version: string
  /** For `doctor`; without them it asks the running server only. */
  readonly probes?: Probes
}

type Definition = (command: Command, context: CommandContext) => void

/** Every command but `up`: its code is loaded when it is the one that was asked for. */
const commands: readonly { name: string; summary: string; load: () => Promise<Definition> }[] = [
  {
    name: 'resource',
    summary: 'several resources on one server: create, list, update, delete and restore them',
    load: async () => (await import('./server/resource.ts')).defineResource,
  },
  {
    name: 'deployment',
    summary: 'create, list, show, update and delete deployments',
    load: async () => (await import('./deployment/deployment.ts')).defineDeployment,
  },
  {
    name: 'model',
    summary: 'list and show the models of the catalog',
    load: async () => (await import('./catalog/model.ts')).defineModel,
  },
  {
    name: 'quota',
    summary: 'list, set and remove quota pools',
    load: async () => (await import('./catalog/quota.ts')).defineQuota,
  },
  {
    name: 'key',
    summary: 'list, create, rotate and revoke keys',
    load: async () => (await import('./key/key.ts')).defineKey,
  },
  {
    name: 'identity',
    summary: 'programs that get tokens here, and who may do what',
    load: async () => (await import('./key/identity/identity.ts')).defineIdentity,
  },
  {
    name: 'token',
    summary: 'print a token for scripts',
    load: async () => (await import('./key/identity/token.ts')).defineToken,
  },
  {
    name: 'filter',
    summary: 'content filters: policies, blocklists, engines, and what they make of texts',
    load: async () => (await import('./filter/filter.ts')).defineFilter,
  },
  {
    name: 'policy',
    summary: 'what deployments may be like',
    load: async () => (await import('./policy/policy.ts')).definePolicy,
  },
  {
    name: 'import',
    summary: 'bring deployments over from Azure, LiteLLM or another Ponto',
    load: async () => (await import('./transfer/import.ts')).defineImport,
  },
  {
    name: 'export',
    summary: 'write everything out as YAML, ARM, Bicep or Terraform',
    load: async () => (await import('./transfer/export.ts')).defineExport,
  },
  {
    name: 'file',
    summary: 'upload, list, download and delete files',
    load: async () => (await import('./data/file/file.ts')).defineFile,
  },
  {
    name: 'batch',
    summary: 'many requests at once, answered by whatever capacity is left',
    load: async () => (await import('./data/batch/batch.ts')).defineBatch,
  },
  {
    name: 'webhook',
    summary: 'list and try the receivers that are told of batches',
    load: async () => (await import('./data/batch/webhook.ts')).defineWebhook,
  },
  {
    name: 'usage',
    summary: 'tokens, requests and cost, by deployment, key and time',
    load: async () => (await import('./observe/usage.ts')).defineUsage,
  },
  {
    name: 'audit',
    summary: 'who changed what',
    load: async () => (await import('./observe/audit.ts')).defineAudit,
  },
  {
    name: 'logs',
    summary: 'requests: what was asked, what it took, and why it was refused',
    load: async () => (await import('./observe/logs.ts')).defineLogs,
  },
  {
    name: 'top',
    summary: 'what each deployment does now',
    load: async () => (await import('./observe/top.ts')).defineTop,
  },
  {
    name: 'portal',
    summary: 'print a link that opens the portal in a browser',
    load: async () => (await import('./server/portal.ts')).definePortal,
  },
  {
    name: 'status',
    summary: 'what the running server does',
    load: async () => (await import('./server/status.ts')).defineStatus,
  },
  {
    name: 'doctor',
    summary: 'find what is wrong and say what to do',
    load: async () => (await import('./doctor/doctor.ts')).defineDoctor,
  },
  {
    name: 'env',
    summary: 'print the settings clients need, for the shell',
    load: async () => (await import('./server/env.ts')).defineEnv,
  },
  {
    name: 'version',
    summary: 'print the version',
    load: async () => (await import('./server/version.ts')).defineVersion,
  },
  {
    name: 'completion',
    summary: 'print the completion script of a shell',
    load: async () => {
      const { defineCompletion } = await import('./terminal/completion.ts')
      return (command, context) =>
        defineCompletion(command, context, () => defineAll(command.parent as Command, context))
    },
  },
]

/** The program with every command defined, which else happens when one is asked for. */
async function defineAll(program: Command, context: CommandContext): Promise<Command> {
  for (const { name, load } of commands) {
    const command = program.commands.find((one) => one.name() === name)
    if (command && command.name() !== 'completion') (await load())(command, context)
  }
  return program
}

const examples = `
Examples:
  ponto up                                        start the server
  ponto deployment create Mistral-large --model builtin-nano
  ponto deployment create gpt-4o --model gpt-4o --backend https://api.example.com/v1 --credential-stdin
  eval "$(ponto env)"                             endpoint, key and trust for the clients in this shell
  ponto doctor                                    when something does not work`

/** The command line as a commander program. Nothing in it reads the environment of the process. */
function buildProgram(parts: ProgramParts, exitWith: CommandContext['exitWith']): Command {
  const program = new Command('ponto')
  const context = makeContext(program, parts, exitWith)
  const color = context.isColored
  program
    .description('The model endpoint you own: Azure AI Model Inference and Azure OpenAI, self-hosted.')
    .version(parts.version, '-V, --version', 'print the version')
    .option('--data <dir>', 'data folder (env PONTO_DATA; usually ~/.ponto)')
    .option('--resource <name>', 'the resource to work on, where the server has several (env PONTO_RESOURCE)')
    .addOption(new Option('-o, --output <format>', 'how results are printed').choices(outputFormats).default('table'))
    .option('--no-color', 'no colours (env NO_COLOR)')
    .helpCommand(false)
    .addHelpText('after', examples)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void parts.stdout.write(text),
      writeErr: (text) => void parts.stderr.write(text),
      getOutHasColors: color,
      getErrHasColors: color,
    })
    .showHelpAfterError('(--help shows how it is used)')
    .exitOverride()
  defineUp(program.command('up'), context, parts.up)
  const loaders = new Map(commands.map((entry) => [entry.name, entry.load]))
  for (const { name, summary } of commands) program.command(name).description(summary)
  program.hook('preSubcommand', async (_program, command) => {
    const load = loaders.get(command.name())
    if (load) (await load())(command, context)
  })
  return program
}

/**
 * Runs one command line (without the interpreter and script) and tells the exit code. Failures are printed, a line each.
 * Rejects only when the server itself fails in an unexpected way, so that whoever started it sees the stack.
 */
export async function runProgram(parts: ProgramParts, args: readonly string[]): Promise<number> {
  let code: number = exitCodes.done
  const program = buildProgram(parts, (other) => {
    code = other
  })
  try {
    const isDeployment = findCommand(program, rewriteHelp(args)) === 'deployment'
    const own = isDeployment ? rewriteAzureFlags(rewriteHelp(args)) : rewriteHelp(args)
    await program.parseAsync(own, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
    if (!(error instanceof Fault) || error.code === 'internal') throw error
    for (const line of error.message.split('\n')) parts.stderr.write(`error: ${line}\n`)
    if (findCommand(program, args) !== 'up') return exitCodes.failed
    if (error.code === 'storage-unavailable') return exitCodes.unready
    return error.code === 'invalid-request' ? exitCodes.usage : exitCodes.refused
  }
}

/** `help X` is `X --help`, which loads X; commander's own would show it before it is loaded. */
function rewriteHelp(args: readonly string[]): string[] {
  return args[0] === 'help' ? [...args.slice(1), '--help'] : [...args]
}

function findCommand(program: Command, args: readonly string[]): string | undefined {
  return program.parseOptions([...args]).operands[0]
}

function makeContext(program: Command, parts: ProgramParts, exitWith: CommandContext['exitWith']): CommandContext {
  return {
    exitWith,
    env: parts.env,
    stdin: parts.stdin,
    stdout: parts.stdout,
    stderr: parts.stderr,
    version: parts.version,
    probes: parts.probes,
    folder: () =>
      locateDataFolder({
        given: program.opts().data ?? parts.env.PONTO_DATA,
        xdgDataHome: parts.env.XDG_DATA_HOME,
        homeFolder: parts.env.HOME || homedir(),
      }),
    resource: () => program.opts().resource || parts.env.PONTO_RESOURCE || undefined,
    format: () => program.opts().output,
    isColored: () => Boolean(parts.stdout.isTTY) && !parts.env.NO_COLOR && program.opts().color !== false,
  }
}
