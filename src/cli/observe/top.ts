import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { Fault } from '../../core/fault.ts'
import type { LiveView } from '../../telemetry/live-counts.ts'
import type { CommandContext } from '../context.ts'
import { openManagementClient } from '../management-client.ts'
import { shorten } from '../terminal/excerpt.ts'
import { type Column, printList, renderTable } from '../terminal/print.ts'
import { formatCount } from '../terminal/units.ts'
import { untilInterrupted } from '../terminal/until-interrupted.ts'

const clearScreen = '\x1b[H\x1b[2J'
const hideCursor = '\x1b[?25l'
const showCursor = '\x1b[?25h'
const maxNameChars = 32
const whenIdle = 'Nothing was asked within the last minute.'

/** `ponto top`: what each deployment does now. */
export function defineTop(command: Command, context: CommandContext): void {
  command
    .description('what each deployment does now: the last minute, from counts in memory')
    .option('--every <seconds>', 'how often it is read', readSeconds, 2)
    .option('--once', 'once, and no more')
    .option('--json', 'a line of JSON each time')
    .addHelpText(
      'after',
      `
It is drawn in place at a terminal; elsewhere a line for each deployment is printed each time. Ctrl-C ends it.
Milliseconds are those of answers that ended well. Limits are as the last call has left them.

Examples:
  ponto top
  ponto top --once --json | jq '.[] | select(.limited > 0)'
  ponto top --every 10 >> busy.txt`,
    )
    .action(async () => {
      const { every, once, json } = command.opts()
      const read = async (): Promise<LiveView[]> => {
        const client = openManagementClient({ folder: context.folder })
        const { value } = await client.call<{ value: LiveView[] }>('live')
        const resource = context.resource()
        return resource === undefined ? value : value.filter((view) => view.resource === resource)
      }
      if (once) {
        const views = await read()
        if (json) return void context.stdout.write(`${JSON.stringify(views)}\n`)
        return printList(context, views, columns, whenIdle)
      }
      await watch(context, read, every * 1000, Boolean(json) || context.format() !== 'table')
    })
}

async function watch(
  context: CommandContext,
  read: () => Promise<LiveView[]>,
  everyMs: number,
  isLines: boolean,
): Promise<void> {
  const { stdout } = context
  const isDrawn = Boolean(stdout.isTTY) && !isLines
  // The first time has to go well: a server that is not there is told as by every command.
  let views: LiveView[] | undefined = await read()
  let trouble = ''
  if (isDrawn) stdout.write(hideCursor)
  try {
    await untilInterrupted(async (signal) => {
      while (!signal.aborted) {
        if (isLines && views) stdout.write(`${JSON.stringify(views)}\n`)
        else if (isDrawn) stdout.write(draw(context, views ?? [], trouble))
        else if (views) stdout.write(renderTable(context, views, [clock, ...columns]))
        await sleep(everyMs, undefined, { signal }).catch(() => {})
        if (signal.aborted) return
        try {
          views = await read()
          trouble = ''
        } catch (error) {
          if (!isDrawn || !(error instanceof Fault)) throw error
          views = undefined
          trouble = error.message
        }
      }
    })
  } finally {
    if (isDrawn) stdout.write(`${showCursor}\n`)
  }
}

function draw(context: CommandContext, views: readonly LiveView[], trouble: string): string {
  const sum = (read: (view: LiveView) => number) => views.reduce((total, view) => total + read(view), 0)
  const head = `ponto top  ${new Date().toLocaleTimeString()}  ${sum((view) => view.requestsPerSecond).toFixed(1)} requests/s  ${formatCount(Math.round(sum((view) => view.tokensPerMinute)))} tokens/min  ${sum((view) => view.inFlight)} in flight`
  const rows = Number((context.stdout as { rows?: number }).rows ?? 40) - 5
  const body = trouble || (views.length === 0 ? `${whenIdle}\n` : renderTable(context, views.slice(0, rows), columns))
  const more = views.length > rows ? `and ${views.length - rows} more\n` : ''
  return `${clearScreen}${head}\n\n${body}${more}`
}

const clock: Column<LiveView> = { title: 'time', read: () => new Date().toTimeString().slice(0, 8) }

const columns: readonly Column<LiveView>[] = [
  { title: 'deployment', read: (view) => shorten(view.deployment, maxNameChars) },
  { title: 'model', read: (view) => shorten(view.model, maxNameChars) },
  { title: 'in flight', read: (view) => String(view.inFlight) },
  { title: 'req/s', read: (view) => view.requestsPerSecond.toFixed(1) },
  { title: 'tokens/min', read: (view) => formatCount(Math.round(view.tokensPerMinute)) },
  { title: 'p50 ms', read: (view) => whole(view.p50Ms) },
  { title: 'p95 ms', read: (view) => whole(view.p95Ms) },
  { title: 'first p50', read: (view) => whole(view.firstTokenP50Ms), isOptional: true },
  { title: 'first p95', read: (view) => whole(view.firstTokenP95Ms), isOptional: true },
  { title: '429', read: (view) => String(view.limited) },
  { title: 'filtered', read: (view) => (view.filtered > 0 ? String(view.filtered) : ''), isOptional: true },
  { title: 'errors', read: (view) => String(view.failed) },
  {
    title: 'limits in use',
    read: ({ limits }) =>
      limits
        .map(({ measure, used, limit }) => `${measure} ${Math.round((100 * used) / Math.max(1, limit))}%`)
        .join(' '),
    isOptional: true,
  },
]

function whole(ms: number | undefined): string {
  return ms === undefined ? '' : formatCount(Math.round(ms))
}

function readSeconds(text: string): number {
  const seconds = Number(text)
  if (/^\d{1,4}(\.\d)?$/.test(text) && seconds >= 0.5) return seconds
  throw new InvalidArgumentError('It must be a number of seconds, 0.5 at least.')
}
