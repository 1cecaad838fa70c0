import { type Command, InvalidArgumentError } from 'commander'
import type { RequestView } from '../../control/api.ts'
import type { JsonObject } from '../../core/json.ts'
import type { CommandContext } from '../context.ts'
import { type ManagementClient, openManagementClient } from '../management-client.ts'
import { drained } from '../terminal/drained.ts'
import { shorten } from '../terminal/excerpt.ts'
import { type Column, dim, printList } from '../terminal/print.ts'
import { openStatusLine } from '../terminal/status-line.ts'
import { formatCount } from '../terminal/units.ts'
import { untilInterrupted } from '../terminal/until-interrupted.ts'
import { addRequestFlags, readRequestFlags } from './request-flags.ts'
import { showRequest } from './show-request.ts'

type Page = { readonly value: readonly RequestView[]; readonly nextLink?: string }

const mostOnPage = 200

/** `ponto logs`: what was asked, and what came of it. */
export function defineLogs(command: Command, context: CommandContext): void {
  addRequestFlags(command)
  command
    .description('requests, the newest first')
    .option('-n, --top <count>', 'at most so many', readCount, 30)
    .option('-f, --follow', 'as they end, until Ctrl-C')
    .option('--json', 'a line of JSON each')
    .addHelpText(
      'after',
      `
The log has no prompts and no answers in it, unless a deployment captures them (ponto deployment update NAME
--capture prompts,answers).

Examples:
  ponto logs --since 1h --status 4xx
  ponto logs --deployment gpt-4o --min-ms 5000
  ponto logs --follow --limited
  ponto logs show 01a20e6b-a1ac-7f54-b983-f9641f08ea25
  ponto logs --since 24h --top 100000 --json > requests.jsonl`,
    )
    .action(async () => {
      const { follow, json, top, ...options } = command.opts()
      // The log is the server's: a resource is one more thing to look for.
      const client = openManagementClient({ folder: context.folder })
      const query = readRequestFlags(options, context.resource())
      if (!follow) return listRequests(context, client, query, top, Boolean(json))
      if (query.has('from') || query.has('to')) {
        command.error('error: --follow shows what ends from now on; leave --since and --until away')
      }
      await followRequests(context, client, query, Boolean(json) || context.format() !== 'table')
    })
  command
    .command('show')
    .description('one request: how long what took, what was decided and why, and what was sent')
    .argument('<id>', 'as the x-request-id header has it')
    .addHelpText('after', '\nExamples:\n  ponto logs show 01a20e6b-a1ac-7f54-b983-f9641f08ea25')
    .action(async (id: string) => {
      const client = openManagementClient({ folder: context.folder })
      await showRequest(context, await client.call<RequestView>(`requests/${encodeURIComponent(id)}`))
    })
}

async function listRequests(
  context: CommandContext,
  client: ManagementClient,
  query: URLSearchParams,
  top: number,
  isLines: boolean,
): Promise<void> {
  const found: RequestView[] = []
  let count = 0
  for await (const request of readPages(context, client, query, top)) {
    count++
    if (!isLines) found.push(request)
    else if (context.stdout.write(`${JSON.stringify(request)}\n`) === false) await drained(context.stdout as never)
  }
  if (isLines) return
  await printList(
    context,
    found,
    columns(),
    'No requests were found. Are they older, or written otherwise? See: ponto logs --help',
  )
  if (count === top && context.format() === 'table') {
    context.stderr.write(`There may be more: --top ${top * 10}, or narrow it down.\n`)
  }
}

/** A search that takes long comes in several pages, some of them empty; who waits is told how far it is. */
async function* readPages(
  context: CommandContext,
  client: ManagementClient,
  query: URLSearchParams,
  top: number,
): AsyncGenerator<RequestView, undefined> {
  const line = openStatusLine(context)
  try {
    for (let left = top, after = ''; left > 0; ) {
      query.set('top', String(Math.min(left, mostOnPage)))
      if (after !== '') query.set('after', after)
      const page = await client.call<Page>(`requests?${query}`)
      line.end()
      yield* page.value
      left -= page.value.length
      const next = page.nextLink === undefined ? null : new URLSearchParams(page.nextLink.split('?')[1]).get('after')
      if (next === null) return
      after = next
      if (left > 0) line.show(`Searching, now at ${new Date(Number(after)).toISOString()}`, false)
    }
  } finally {
    line.end()
  }
}

async function followRequests(
  context: CommandContext,
  client: ManagementClient,
  query: URLSearchParams,
  isLines: boolean,
): Promise<void> {
  const shown = columns()
  if (!isLines) context.stdout.write(`${dim(context, layOut(shown.map(({ title }) => title.toUpperCase())))}\n`)
  await untilInterrupted(async (signal) => {
    for await (const event of client.listen(`requests/stream?${query}`, signal)) {
      if (isLines) context.stdout.write(`${JSON.stringify(event)}\n`)
      else if (typeof event.dropped === 'number') {
        context.stderr.write(`${formatCount(event.dropped)} requests came too fast to be shown.\n`)
      } else {
        const request = event as JsonObject as unknown as RequestView
        context.stdout.write(`${layOut(shown.map(({ read }) => read(request)))}\n`)
      }
    }
  })
}

/** Rows that come one by one keep their columns by widths that most fit into. */
const widths = [12, 6, 22, 18, 24, 12, 9, 9]

function layOut(cells: readonly string[]): string {
  return cells
    .map((text, index) => text.padEnd(widths[index] ?? 0))
    .join('  ')
    .trimEnd()
}

const maxNameChars = 32

function columns(): readonly Column<RequestView>[] {
  const isToday = (date: Date) => date.toDateString() === new Date().toDateString()
  const time = (iso: string): string => {
    const date = new Date(iso)
    const clock = `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, '0')}`
    return isToday(date) ? clock : `${iso.slice(5, 10)} ${clock.slice(0, 8)}`
  }
  return [
    { title: 'time', read: (row) => time(row.time) },
    { title: 'status', read: markStatus },
    { title: 'code', read: (row) => row.code ?? (row.outcome === 'done' ? '' : row.outcome) },
    { title: 'caller', read: (row) => shorten(row.caller ?? row.address ?? '', maxNameChars) },
    { title: 'deployment', read: (row) => shorten(nameDeployment(row), maxNameChars) },
    {
      title: 'operation',
      read: (row) => `${row.operation ?? ''}${row.isStream ? ' ~' : ''}${row.isBatch ? ' batch' : ''}`,
    },
    { title: 'tokens', read: ({ tokens }) => (tokens ? `${tokens.prompt}+${tokens.completion}` : '') },
    { title: 'ms', read: ({ timings }) => formatCount(Math.round(timings.totalMs)) },
    { title: 'id', read: (row) => row.id },
  ]
}

function nameDeployment({ deployment, asked, spilledFrom }: RequestView): string {
  if (spilledFrom !== undefined) return `${spilledFrom} > ${deployment ?? ''}`
  return deployment ?? (asked ? `${asked}?` : '')
}

/** A mark for an answer that broke off after it had begun well. */
function markStatus({ status, outcome }: RequestView): string {
  return outcome === 'done' || status >= 400 ? String(status) : `${status}!`
}

function readCount(text: string): number {
  const count = Number(text)
  if (/^\d{1,8}$/.test(text) && count > 0) return count
  throw new InvalidArgumentError('It must be a number of requests.')
}
