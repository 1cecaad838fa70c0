import type { Command } from 'commander'
import type { PortalLinkView } from '../../control/portal/api.ts'
import type { CommandContext } from '../context.ts'
import { openManagementClient } from '../management-client.ts'
import { printFacts } from '../terminal/print.ts'

/** `ponto portal`: a link that signs a browser in. */
export function definePortal(command: Command, context: CommandContext): void {
  command.addHelpText('after', '\nExamples:\n  ponto portal\n  ponto portal --output json')
  command.action(async () => {
    const client = openManagementClient({ folder: context.folder })
    const { secret, expiresAt } = await client.call<PortalLinkView>('portal/token', { method: 'POST' })
    const { httpsUrl, httpUrl } = client.server
    // Plain HTTP where it stays on this machine: no browser knows the local authority yet.
    const isLocal = httpUrl !== undefined && new URL(httpUrl).hostname === 'localhost'
    const url = `${isLocal ? httpUrl : httpsUrl}/portal/#code=${secret}`
    await printFacts(context, { url, expiresAt }, [
      ['Link', url],
      ['Opens', 'once, within 10 minutes'],
    ])
  })
}
