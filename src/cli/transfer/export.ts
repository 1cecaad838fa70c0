import { writeFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import type { ExportView } from '../../control/api.ts'
import { Fault } from '../../core/fault.ts'
import type { CommandContext } from '../context.ts'
import { openManagementClient } from '../management-client.ts'

const formats = {
  yaml: 'a configuration file of Ponto (the default)',
  arm: 'an ARM template, which "ponto import" reads again without loss',
  bicep: 'Bicep, for an account that is there',
  terraform: 'Terraform for the provider azurerm, for an account that is there',
} as const

/** `ponto export`: everything that makes the deployments what they are, as text. */
export function defineExport(command: Command, context: CommandContext): void {
  command.description('write deployments, content filters and policies out; no secret is in it')
  const names = Object.keys(formats) as (keyof typeof formats)[]
  for (const name of names) {
    const others = names.filter((other) => other !== name)
    command.addOption(new Option(`--${name}`, formats[name]).conflicts(others))
  }
  command
    .option('--to <file>', 'write it to this file instead of standard output')
    .addHelpText(
      'after',
      `
What a format cannot say is told on standard error.

Examples:
  ponto export > ponto.yaml
  ponto export --arm --to template.json
  ponto export --bicep --to deployments.bicep`,
    )
    .action(async () => {
      const given = command.opts() as Readonly<Record<string, unknown>>
      const format = names.find((name) => given[name]) ?? 'yaml'
      const view = await openManagementClient(context).call<ExportView>(`export?format=${format}`)
      for (const note of view.notes) context.stderr.write(`note: ${note}\n`)
      if (given.to === undefined) context.stdout.write(view.text)
      else writeText(String(given.to), view.text)
    })
}

function writeText(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw new Fault('invalid-request', `--to ${file} cannot be written: ${(error as Error).message}`)
  }
}
