import type { Command } from 'commander'
import type { IssuedTokenView, ServicePrincipalView } from '../../../control/api.ts'
import { Fault } from '../../../core/fault.ts'
import type { CommandContext } from '../../context.ts'
import { type ManagementClient, openManagementClient } from '../../management-client.ts'
import { printData } from '../../terminal/print.ts'

/** `ponto token`: prints a token of a service principal, and nothing else, for scripts. */
export function defineToken(command: Command, context: CommandContext): void {
  command
    .argument('[name]', 'of a service principal; may be left out where there is one only')
    .option('--audience <url>', 'what it is for', 'https://cognitiveservices.azure.com')
    .addHelpText(
      'after',
      `
Good for an hour. It says who asks, and may what the roles of the service principal allow.

Examples:
  curl -H "Authorization: Bearer $(ponto token ci)" https://localhost:8443/openai/v1/models
  ponto token deployer --audience https://management.azure.com`,
    )
    .action(async (given: string | undefined) => {
      const client = openManagementClient({ folder: context.folder })
      const name = given ?? (await findOnly(client))
      const { audience: resource } = command.opts()
      const path = `service-principals/${encodeURIComponent(name)}/token`
      const view = await client.call<IssuedTokenView>(path, { method: 'POST', body: { resource } })
      if (!(await printData(context, view))) context.stdout.write(`${view.token}\n`)
    })
}

async function findOnly(client: ManagementClient): Promise<string> {
  const { value } = await client.call<{ value: ServicePrincipalView[] }>('service-principals')
  const [only] = value
  if (only && value.length === 1) return only.name
  throw new Fault(
    'invalid-request',
    only
      ? `There are several service principals: name one of ${value.map(({ name }) => name).join(', ')}.`
      : 'There is no service principal. Make one: ponto identity create ci --role "Cognitive Services User"',
  )
}
