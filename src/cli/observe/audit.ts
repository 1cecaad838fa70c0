import { type Command, InvalidArgumentError } from 'commander'
import type { AuditView } from '../../control/api.ts'
import type { CommandContext } from '../context.ts'
import { openManagementClient } from '../management-client.ts'
import { type Column, formatTime, printList } from '../terminal/print.ts'
import { makeTime } from '../terminal/time-option.ts'
import { describeChange } from './describe-change.ts'

type Page = { readonly value: readonly AuditView[]; readonly nextLink?: string }

const mostOnPage = 1_000

/** `ponto audit`: what was changed, by whom, and what was refused. */
export function defineAudit(command: Command, context: CommandContext): void {
  command
    .description('who changed what, the newest first')
    .addOption(makeTime('--since <when>', 'from when on: a date, a time, or how long ago (24h, 7d)'))
    .addOption(makeTime('--until <when>', 'until when'))
    .option('--actor <name>', 'by one only: a name, or the id in their token')
    .option('--action <start>', 'what the action begins with: accounts/deployments')
    .option('--target <start>', 'what the path begins with: /management/deployments/gpt-4o')
    .option('-n, --top <count>', 'at most so many', readCount, 50)
    .option('--export', 'all of them, a line of JSON each, with what was there before and after')
    .addHelpText(
      'after',
      `
Nothing is ever taken out of the audit log. It has no secrets in it.

Examples:
  ponto audit
  ponto audit --since 24h --action accounts/deployments
  ponto audit --export > audit.jsonl`,
    )
    .action(async () => {
      const { since, until, actor, action, target, top, export: isExport } = command.opts()
      const asked = { from: since, to: until, actor, action, target }
      const query = new URLSearchParams(
        Object.entries(asked).filter(([, value]) => value !== undefined) as [string, string][],
      )
      query.set('top', String(isExport ? mostOnPage : Math.min(top, mostOnPage)))
      const found: AuditView[] = []
      for await (const view of readPages(context, query)) {
        if (isExport) context.stdout.write(`${JSON.stringify(view)}\n`)
        else found.push(view)
        if (!isExport && found.length >= top) break
      }
      if (!isExport) await printList(context, found, columns, 'Nothing was changed.')
    })
}

const columns: readonly Column<AuditView>[] = [
  { title: 'when', read: ({ at }) => formatTime(at) },
  { title: 'who', read: ({ actor }) => actor.name },
  { title: 'from', read: ({ address }) => address },
  { title: 'action', read: ({ action }) => action },
  { title: 'target', read: ({ target }) => target.replace(/^\/management/, '') },
  { title: 'came to', read: ({ status, code }) => (code === undefined ? String(status) : `${status} ${code}`) },
  { title: 'changed', read: tellChange, isOptional: true },
]

function tellChange({ status, before, after }: AuditView): string {
  if (before === undefined) return status === 201 ? 'made' : tellCounts(after)
  return after === undefined ? 'removed' : describeChange(before, after)
}

/** Of what was done to many at once: `added 3, count 12`. */
function tellCounts(after: unknown): string {
  const counts = Object.entries(after ?? {}).filter(([, value]) => typeof value === 'number' && value > 0)
  return counts.map(([name, value]) => `${name} ${value}`).join(', ')
}

async function* readPages(context: CommandContext, query: URLSearchParams): AsyncGenerator<AuditView> {
  const client = openManagementClient(context)
  for (let path: string | undefined = `audit?${query}`; path !== undefined; ) {
    const page: Page = await client.call<Page>(path)
    yield* page.value
    path = page.nextLink?.replace(/^\/management\//, '')
  }
}

function readCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a number of entries: 1, 2, ...')
  return Number(text)
}
