import type { ItemRow, RunRow, RunsTable } from '../../../port/tables/runs/port.ts'
import { measureItem } from './measure.ts'

/** How much of what came before a run the model is shown. */
export type ContextBounds = {
  /** Tokens, about. */
  readonly tokens: number
  readonly items: number
}

/** What came before, oldest first. `isWhole`: nothing of it was left out. */
export type Context = { readonly items: readonly ItemRow[]; readonly isWhole: boolean; readonly tokens: number }

type Source = Pick<RunsTable, 'listItems' | 'findRun'>

const pageSize = 200
/** Responses that go on from one another. */
const longestChain = 2_000

/**
 * Reads backwards what came before the run and what it was given, and stops where the model would not be shown more: a thread of any length
 * costs what is shown of it. `given` is what the run was given and lies in no table.
 */
export async function loadContext(
  table: Source,
  run: RunRow,
  given: readonly ItemRow[],
  bounds: ContextBounds,
): Promise<Context> {
  const picked: ItemRow[] = []
  let tokens = 0
  let isWhole = true
  for await (const row of readBackwards(table, run, given)) {
    const size = measureItem(row)
    // The last thing that was said is always shown.
    if (picked.length >= bounds.items || (picked.length > 0 && tokens + size > bounds.tokens)) {
      isWhole = false
      break
    }
    picked.push(row)
    tokens += size
  }
  return { items: picked.reverse(), isWhole, tokens }
}

async function* readBackwards(table: Source, run: RunRow, given: readonly ItemRow[]): AsyncGenerator<ItemRow> {
  yield* [...given].reverse()
  const { threadId, owner } = run
  if (threadId !== undefined) {
    // Assistants are shown what was said in their thread; what they did on the way stays with its run.
    const types = run.kind === 'run' ? ['message'] : undefined
    for await (const row of readList(table, owner, { homeId: threadId, types })) {
      if (row.runId !== run.id || row.isInput) yield row
    }
    return
  }
  if (given.length === 0) yield* readList(table, owner, { runId: run.id, isInput: true })
  let before = run.previousId
  for (let depth = 0; before !== undefined && depth < longestChain; depth++) {
    const previous = await table.findRun(before)
    if (!previous || previous.owner !== owner) return
    yield* readList(table, owner, { runId: before, isInput: false })
    yield* readList(table, owner, { runId: before, isInput: true })
    before = previous.previousId
  }
}

async function* readList(
  table: Source,
  owner: string,
  filter: Parameters<RunsTable['listItems']>[1],
): AsyncGenerator<ItemRow> {
  let after: string | undefined
  for (;;) {
    const page = await table.listItems(owner, filter, { after, limit: pageSize, order: 'desc' })
    const rows = page.slice(0, pageSize)
    yield* rows
    if (page.length <= pageSize) return
    after = rows.at(-1)?.id
  }
}
