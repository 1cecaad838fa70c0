import { type Command, Option } from 'commander'
import { formatExport, guessShell, listClientVariables, type Shell, shells } from '../../boot/client-environment.ts'
import type { KeyView } from '../../control/api.ts'
import { Fault } from '../../core/fault.ts'
import type { CommandContext } from '../context.ts'
import { openManagementClient, pathOfResource } from '../management-client.ts'
import { printFacts } from '../terminal/print.ts'

/** `ponto env`: the lines that point this shell's clients at the server. */
export function defineEnv(command: Command, context: CommandContext): void {
  command
    .addOption(
      new Option('--shell <name>', 'whose syntax')
        .choices(shells)
        .default(guessShell(context.env.SHELL, process.platform)),
    )
    .addHelpText(
      'after',
      `
Examples:
  eval "$(ponto env)"
  ponto env --resource team-a --output json
  ponto env --shell fish | source
  ponto env --shell powershell | Out-String | Invoke-Expression
  ponto env --output json`,
    )
  command.action(async () => {
    const folder = context.folder()
    const client = openManagementClient(context)
    const { value } = await client.call<{ value: KeyView[] }>('keys')
    const key = value[0]?.value
    const url = client.server.httpsUrl ?? client.server.httpUrl
    if (!key || !url) throw new Fault('not-found', 'The server has no key or no endpoint. Run: ponto doctor')
    const trust = client.server.trust.kind === 'authority' ? folder : undefined
    const variables = listClientVariables({ url: url + pathOfResource(context.resource()), key, trust })
    if (context.format() !== 'table') return printFacts(context, Object.fromEntries(variables), [])
    const shell: Shell = command.opts().shell
    for (const variable of variables) context.stdout.write(`${formatExport(variable, shell)}\n`)
  })
}
