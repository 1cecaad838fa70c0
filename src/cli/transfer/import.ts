import { type Command, InvalidArgumentError } from 'commander'
import type { ImportedView, ImportView } from '../../control/api.ts'
import type { CommandContext } from '../context.ts'
import { addBackendFlags } from '../deployment/backend-flags.ts'
import { openManagementClient } from '../management-client.ts'
import { type Column, printData, printRows } from '../terminal/print.ts'
import { readDocumentFile, readTextFile } from '../terminal/read-file.ts'

const largestText = 24 * 1_048_576
/** Every deployment is judged and written by itself. */
const answerWithinMs = 600_000

const columns: readonly Column<ImportedView>[] = [
  { title: 'what', read: ({ kind }) => kind },
  { title: 'name', read: ({ name }) => name },
  { title: 'came to', read: ({ result }) => result },
  { title: 'why not', read: ({ error }) => error?.message ?? '', isOptional: true },
]

/** `ponto import`: deployments and content filters as another place has them. */
export function defineImport(command: Command, context: CommandContext): void {
  command
    .description('bring deployments over from Azure, LiteLLM or another Ponto')
    .argument(
      '<file>',
      'ARM template, "az ... -o json", LiteLLM YAML, or a configuration of Ponto; - for standard input',
    )
    .option('--parameters <file>', 'values for the parameters of an ARM template')
    .option('--parameter <name=value>', 'the same, one; repeat it', readParameter)
    .option('--replace', 'put what is there, and is another, into the shape of the import')
    .option('--dry-run', 'judge everything and say what would be; write nothing')
  const backends = addBackendFlags(command, context)
  command
    .addHelpText(
      'after',
      `
Azure says what a deployment is, and not where it runs: name that with --backend. Without --upstream-model each is asked for by
its own name there. What is there already stays; what fails keeps nothing else from being made. Ends with 1 if anything failed.

Examples:
  az cognitiveservices account deployment list -g RG -n ACCOUNT -o json | ponto import - --dry-run \\
    --backend https://ACCOUNT.openai.azure.com --protocol azure-openai --credential-env PONTO_SECRET_AZURE
  ponto import template.json --parameter accountName=contoso --backend http://10.0.0.5:8000/v1
  ponto import litellm.yaml`,
    )
    .action(async (file: string) => {
      const { parameters: parameterFile, parameter, replace, dryRun } = command.opts()
      const parameters = {
        ...(parameterFile !== undefined && (await readDocumentFile(context, parameterFile, 'parameters'))),
        ...parameter,
      }
      const list = await backends.read(command)
      const body = {
        text: await readTextFile(context, file, largestText),
        ...(Object.keys(parameters).length > 0 && { parameters: parameters.parameters ?? parameters }),
        ...(list && { backends: list }),
        existing: replace ? 'replace' : 'keep',
      }
      const client = openManagementClient(context)
      const path = dryRun ? 'import?dryRun=true' : 'import'
      await showImport(context, await client.call<ImportView>(path, { method: 'POST', body, answerWithinMs }), dryRun)
    })
}

async function showImport(context: CommandContext, view: ImportView, isTrial: boolean | undefined): Promise<void> {
  const { format, notes, value } = view
  const failed = value.filter(({ result }) => result === 'failed')
  if (!(await printData(context, view))) {
    for (const note of notes) context.stderr.write(`note: ${note}\n`)
    printRows(context, value, columns, `There is nothing in it that can be imported (${format}).`)
    const count = (result: ImportedView['result']) => value.filter((one) => one.result === result).length
    const parts = (['created', 'replaced', 'unchanged', 'kept', 'failed'] as const)
      .filter((result) => count(result) > 0)
      .map((result) => `${count(result)} ${result}`)
    if (parts.length > 0)
      context.stdout.write(`\n${parts.join(', ')}, from ${format}.${isTrial ? ' Nothing was written.' : ''}\n`)
    if (count('kept') > 0) context.stdout.write('Those that are kept differ from the import: --replace changes them.\n')
  }
  if (failed.length > 0) context.exitWith(1)
}

function readParameter(
  text: string,
  before: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const cut = text.indexOf('=')
  if (cut < 1) throw new InvalidArgumentError('It must be NAME=VALUE.')
  const value = text.slice(cut + 1)
  // Numbers and truth values are of another type in a template.
  const isPlain = /^(-?\d{1,15}|true|false)$/.test(value)
  return { ...before, [text.slice(0, cut)]: isPlain ? JSON.parse(value) : value }
}
