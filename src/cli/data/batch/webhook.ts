import type { Command } from 'commander'
import type { WebhookTrial, WebhookView } from '../../../control/api.ts'
import type { CommandContext } from '../../context.ts'
import { openManagementClient } from '../../management-client.ts'
import { type Column, printFacts, printList } from '../../terminal/print.ts'

/** The receiver did not take it. */
const notTaken = 1
/** Longer than the server waits for a receiver. */
const answerWithinMs = 60_000

const columns: readonly Column<WebhookView>[] = [
  { title: 'name', read: ({ name }) => name },
  { title: 'to', read: ({ origin }) => origin },
  { title: 'events', read: ({ events }) => events.join(', ') },
  { title: 'owner', read: ({ owner }) => owner ?? 'all' },
  { title: 'secret', read: ({ secret, hasSecret }) => (hasSecret ? secret.env : `${secret.env} (not usable)`) },
]

/** `ponto webhook ...`: who is told when a batch has ended. */
export function defineWebhook(group: Command, context: CommandContext): void {
  group.addHelpText(
    'after',
    `
Webhooks are declared in the configuration file (ponto up --config FILE): whoever may name an address may have the
server call it. Secrets stay in their variables and are never shown, nor is more of an address than its host.

Examples:
  ponto webhook list
  ponto webhook test ops          sends a signed message and tells what came back`,
  )
  group
    .command('list')
    .description('all of them, with what they are told of')
    .action(async () => {
      const { value } = await openManagementClient(context).call<{ value: WebhookView[] }>('webhooks')
      await printList(context, value, columns, 'There are no webhooks. Declare them in the configuration file.')
    })
  group
    .command('test')
    .description('send a signed message about nothing, once')
    .argument('<name>', 'name of the webhook')
    .addHelpText('after', '\nThe event is webhook.test. Exit code 0 when the receiver takes it, 1 when it does not.')
    .action(async (name: string) => {
      const path = `webhooks/${encodeURIComponent(name)}/test`
      const client = openManagementClient(context)
      const trial = await client.call<WebhookTrial>(path, { method: 'POST', body: {}, answerWithinMs })
      await printFacts(context, trial, factsOf(trial))
      if (!trial.isTaken) context.exitWith(notTaken)
    })
}

function factsOf({
  isTaken,
  messageId,
  status,
  said,
  reason,
  ms,
}: WebhookTrial): readonly (readonly [string, string])[] {
  return [
    ['Taken', isTaken ? 'yes' : 'no'],
    ...(reason === undefined ? [] : [['Reason', reason] as const]),
    ...(status === undefined ? [] : [['Status', String(status)] as const]),
    ...(said === '' ? [] : [['It said', said] as const]),
    ['Took', `${ms} ms`],
    ['webhook-id', messageId],
  ]
}
