import { type Command, InvalidArgumentError, Option } from 'commander'
import { Fault } from '../../../core/fault.ts'
import type { CommandContext } from '../../context.ts'
import { confirm } from '../../terminal/confirm.ts'
import { makeHarmless } from '../../terminal/excerpt.ts'
import { printList } from '../../terminal/print.ts'
import { parseDurationMs } from '../../terminal/times.ts'
import { type DataClient, keyVariable, openDataClient } from '../data-client.ts'
import { type FileItem, fileColumns, listItems, showFile } from './file-item.ts'
import { requireFile, writePieces } from './local-file.ts'
import { showTransfer } from './transfer.ts'
import { uploadFile } from './upload-file.ts'

const purposes = ['assistants', 'batch', 'evals', 'fine-tune', 'user_data', 'vision'] as const
const madePurposes = ['assistants_output', 'batch_output', 'fine-tune-results'] as const
const idHelp = 'of the file: file-...'

export const ownerHelp = `
These are files and batches of the resource's own keys. For those of a named key, put its secret into ${keyVariable}.`

/** `ponto file ...`: files that are kept for batches and whoever else reads them. */
export function defineFile(group: Command, context: CommandContext): void {
  group.addHelpText(
    'after',
    `${ownerHelp}

Examples:
  ponto file upload requests.jsonl
  ponto file list --purpose batch_output
  ponto file download file-019ab3... --to results.jsonl
  ponto file delete file-019ab3... --yes`,
  )
  defineReaders(group, context)
  defineUpload(group.command('upload'), context)
  defineDownload(group.command('download'), context)
  const remove = group.command('delete')
  remove
    .description('delete a file; a batch that reads it fails')
    .argument('<id>', idHelp)
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', '\nExamples:\n  ponto file delete file-019ab3...\n  ponto file delete file-019ab3... --yes')
    .action(async (id: string) => {
      const client = await openDataClient(context)
      if (!remove.opts().yes) {
        const { filename } = await findFile(client, id)
        await confirm(context, `${id} (${makeHarmless(filename)}) is deleted for good. Go on?`)
      }
      await client.call(pathOf(id), { method: 'DELETE' })
      if (context.format() === 'table') context.stdout.write(`Deleted ${id}.\n`)
    })
}

const pathOf = (id: string): string => `files/${encodeURIComponent(id)}`
const findFile = (client: DataClient, id: string): Promise<FileItem> => client.call<FileItem>(pathOf(id))

function defineReaders(group: Command, context: CommandContext): void {
  const list = group.command('list')
  list
    .description('the files of this key, newest first')
    .addOption(new Option('--purpose <purpose>', 'of one purpose only').choices([...purposes, ...madePurposes]))
    .addOption(makeLimit())
    .addHelpText('after', '\nExamples:\n  ponto file list\n  ponto file list --purpose batch --output json')
    .action(async () => {
      const { purpose, limit } = list.opts()
      const query: Record<string, string> = purpose === undefined ? {} : { purpose }
      const sizes = { wanted: limit, pageSize: 1_000 }
      const client = await openDataClient(context)
      const { items, hasMore } = await listItems<FileItem>(client, 'files', query, sizes)
      const whenEmpty = 'There are no files. Upload one with: ponto file upload FILE'
      await printList(context, items, fileColumns, whenEmpty)
      if (hasMore) tellMore(context, limit)
    })
  group
    .command('show')
    .description('one file')
    .argument('<id>', idHelp)
    .addHelpText('after', '\nExamples:\n  ponto file show file-019ab3...')
    .action(async (id: string) => showFile(context, await findFile(await openDataClient(context), id)))
}

/** The newest so many. */
export function makeLimit(): Option {
  return new Option('--limit <number>', 'the newest so many').default(100).argParser((text: string) => {
    if (/^\d{1,6}$/.test(text) && Number(text) > 0) return Number(text)
    throw new InvalidArgumentError('It must be a whole number: 1, 2, ...')
  })
}

export function tellMore({ stderr }: CommandContext, limit: number): void {
  stderr.write(`These are the newest ${limit}; there are more: --limit ${10 * limit}\n`)
}

function defineUpload(command: Command, context: CommandContext): void {
  command
    .description('upload a file')
    .argument('<file>', 'on this machine')
    .addOption(new Option('--purpose <purpose>', 'what it is for').choices(purposes).default('batch'))
    .option('--expires-after <span>', 'when it goes by itself: 1h to 30d; without it, it stays', readLife)
    .addHelpText(
      'after',
      `
What is larger than 512 MiB goes in parts, up to 8 GiB.

Examples:
  ponto file upload requests.jsonl
  ponto file upload book.pdf --purpose user_data --expires-after 7d
  id=$(ponto file upload requests.jsonl --output json | jq -r .id)`,
    )
    .action(async (path: string) => {
      const { purpose, expiresAfter } = command.opts()
      const size = await requireFile(path)
      const client = await openDataClient(context)
      await showFile(context, await uploadFile(context, client, { path, size, purpose, lastsS: expiresAfter }))
    })
}

function readLife(text: string): number {
  const ms = parseDurationMs(text)
  if (ms !== undefined && ms >= 3_600_000 && ms <= 30 * 86_400_000) return ms / 1000
  throw new InvalidArgumentError('It is a span from 1h to 30d.')
}

function defineDownload(command: Command, context: CommandContext): void {
  command
    .description('the content of a file')
    .argument('<id>', idHelp)
    .option('--to <file>', 'where to write it; - for standard output, which is usual unless that is a terminal')
    .addHelpText(
      'after',
      `
Examples:
  ponto file download file-019ab3... --to results.jsonl
  ponto file download file-019ab3... | head -3`,
    )
    .action(async (id: string) => saveContent(context, await openDataClient(context), id, command.opts().to))
}

/** Writes the content of a file to `target`, or to standard output where that is no terminal. */
export async function saveContent(
  context: CommandContext,
  client: DataClient,
  id: string,
  target: string | undefined,
): Promise<void> {
  if (target === undefined && context.stdout.isTTY) {
    throw new Fault('invalid-request', 'Say where to write it: --to FILE, or --to - for this terminal.')
  }
  const { length, pieces } = await client.download(`${pathOf(id)}/content`)
  await writePieces(context, target ?? '-', showTransfer(context, `Downloading ${id}`, length, pieces))
}
