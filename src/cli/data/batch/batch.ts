import { type Command, Option } from 'commander'
import { Fault } from '../../../core/fault.ts'
import type { CommandContext } from '../../context.ts'
import { confirm } from '../../terminal/confirm.ts'
import { printList } from '../../terminal/print.ts'
import { type DataClient, openDataClient } from '../data-client.ts'
import { makeLimit, ownerHelp, saveContent, tellMore } from '../file/file.ts'
import { listItems } from '../file/file-item.ts'
import { type BatchItem, batchColumns, exitCodeOf, hasEnded, showBatch } from './batch-item.ts'
import { submitInput } from './submit-input.ts'
import { waitForBatch } from './wait-for-batch.ts'

const endpoints = ['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/responses'] as const
const idHelp = 'of the batch: batch_...'
const waitHelp = `
With --wait the exit code is 0 when all lines are answered, 3 when some of them failed, 1 when the batch failed, expired or was
cancelled, and 130 after Ctrl-C, which leaves the batch as it is.`

/** `ponto batch ...`: files of requests that are answered within a day. */
export function defineBatch(group: Command, context: CommandContext): void {
  group.addHelpText(
    'after',
    `${ownerHelp}

Examples:
  ponto batch submit requests.jsonl --deployment gpt-4o --wait --to results.jsonl
  ponto batch list
  ponto batch show batch_5f0c... --wait
  ponto batch results batch_5f0c... --errors`,
  )
  defineSubmit(group.command('submit'), context)
  defineReaders(group, context)
  defineResults(group.command('results'), context)
  const cancel = group.command('cancel')
  cancel
    .description('end a batch; lines that are answered keep their answers')
    .argument('<id>', idHelp)
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', '\nExamples:\n  ponto batch cancel batch_5f0c... --yes')
    .action(async (id: string) => {
      const client = await openDataClient(context)
      if (!cancel.opts().yes)
        await confirm(context, `The lines of ${id} that are not answered yet never will be. Go on?`)
      await showBatch(context, await client.call<BatchItem>(`${pathOf(id)}/cancel`, { method: 'POST', body: {} }))
    })
}

const pathOf = (id: string): string => `batches/${encodeURIComponent(id)}`
const findBatch = (client: DataClient, id: string): Promise<BatchItem> => client.call<BatchItem>(pathOf(id))

function defineSubmit(command: Command, context: CommandContext): void {
  command
    .description('upload a file of requests and have them answered')
    .argument(
      '<file>',
      'a request on each line: {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {...}}',
    )
    .option('--deployment <name>', 'of all lines; written into those that name no model')
    .addOption(
      new Option('--endpoint <path>', 'what the lines ask for').choices(endpoints).default('/v1/chat/completions'),
    )
    .option('--wait', 'until it has ended')
    .option('--to <file>', 'with --wait: where to write the results')
    .addHelpText(
      'after',
      `
The file is checked before it is uploaded; what is wrong is told with its line.
${waitHelp}

Examples:
  ponto batch submit requests.jsonl --deployment gpt-4o
  ponto batch submit requests.jsonl --deployment gpt-4o --wait --to results.jsonl
  ponto batch submit texts.jsonl --deployment embed --endpoint /v1/embeddings --output json | jq -r .id`,
    )
    .action(async (file: string) => {
      const { deployment, endpoint, wait, to } = command.opts()
      if (to !== undefined && !wait)
        command.error('error: --to needs --wait: there are results when the batch has ended')
      const batch = await submitInput(context, { file, deployment, endpoint })
      if (!wait) return showBatch(context, batch)
      context.stderr.write(`Submitted ${batch.id}.\n`)
      await followBatch(context, batch.id, to)
    })
}

function defineReaders(group: Command, context: CommandContext): void {
  const list = group.command('list')
  list
    .description('the batches of this key, newest first')
    .addOption(makeLimit())
    .addHelpText('after', '\nExamples:\n  ponto batch list\n  ponto batch list --limit 5 --output json')
    .action(async () => {
      const { limit } = list.opts()
      const client = await openDataClient(context)
      const { items, hasMore } = await listItems<BatchItem>(client, 'batches', {}, { wanted: limit, pageSize: 100 })
      const whenEmpty = 'There are no batches. Make one with: ponto batch submit FILE.jsonl --deployment NAME'
      await printList(context, items, batchColumns, whenEmpty)
      if (hasMore) tellMore(context, limit)
    })
  const show = group.command('show')
  show
    .description('one batch')
    .argument('<id>', idHelp)
    .option('--wait', 'until it has ended')
    .option('--to <file>', 'with --wait: where to write the results')
    .addHelpText(
      'after',
      `${waitHelp}

Examples:
  ponto batch show batch_5f0c...
  ponto batch show batch_5f0c... --wait`,
    )
    .action(async (id: string) => {
      const { wait, to } = show.opts()
      if (to !== undefined && !wait)
        show.error('error: --to needs --wait; without it: ponto batch results ID --to FILE')
      if (wait) return followBatch(context, id, to)
      await showBatch(context, await findBatch(await openDataClient(context), id))
    })
}

/** To its end, and its results to where they are wanted. */
async function followBatch(context: CommandContext, id: string, target: string | undefined): Promise<void> {
  const batch = await waitForBatch(context, id)
  if (!batch) return
  context.exitWith(exitCodeOf(batch))
  const isInTheWay = target === '-'
  if (!isInTheWay) await showBatch(context, batch)
  if (target !== undefined && batch.output_file_id) {
    await saveContent(context, await openDataClient(context), batch.output_file_id, target)
  }
  if (batch.request_counts.failed > 0) {
    context.stderr.write(`Why lines failed: ponto batch results ${id} --errors\n`)
  }
}

function defineResults(command: Command, context: CommandContext): void {
  command
    .description('the answers, a line each; the order is that of the lines they answer')
    .argument('<id>', idHelp)
    .option('--errors', 'the lines that failed, and why')
    .option('--to <file>', 'where to write them; - for standard output, which is usual unless that is a terminal')
    .addHelpText(
      'after',
      `
Examples:
  ponto batch results batch_5f0c... --to results.jsonl
  ponto batch results batch_5f0c... | jq -r '.custom_id + " " + .response.body.choices[0].message.content'
  ponto batch results batch_5f0c... --errors | jq -c '[.custom_id, .response.body.error, .error]'`,
    )
    .action(async (id: string) => {
      const { errors, to } = command.opts()
      const client = await openDataClient(context)
      const batch = await findBatch(client, id)
      const fileId = errors ? batch.error_file_id : batch.output_file_id
      if (!fileId) throw new Fault('not-found', explainMissing(batch, Boolean(errors)))
      await saveContent(context, client, fileId, to)
    })
}

function explainMissing(batch: BatchItem, isAboutErrors: boolean): string {
  const { id, status, request_counts: counts } = batch
  if (!hasEnded(batch))
    return `The batch ${id} is ${status}; there are results when it has ended. Wait for it with: ponto batch show ${id} --wait`
  const what = isAboutErrors ? 'no line that failed' : 'no line that was answered'
  const other = isAboutErrors ? counts.completed : counts.failed
  const hint = other > 0 ? `; try ${isAboutErrors ? 'without' : 'with'} --errors` : `; see: ponto batch show ${id}`
  return `The batch ${id} is ${status} and has ${what}${hint}.`
}
