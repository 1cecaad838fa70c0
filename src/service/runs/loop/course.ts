import type { JsonObject } from '../../../core/json.ts'
import type { ItemRow, ItemStatus, RunChange, RunRow, RunStatus } from '../../../port/tables/runs/port.ts'
import type { RunEvent } from '../face.ts'
import { withBeside } from '../kept-beside.ts'
import { type EngineState, stateOf, usageOf, withEngine } from '../state.ts'
import type { Sink } from './sink.ts'

/** Numbers for the events with which a run rests. */
const reserved = 16

/** A run while it is gone on with: how it stands, what it has made, and the one way to change either. */
export type Course = {
  readonly run: RunRow
  readonly made: readonly ItemRow[]
  readonly engine: EngineState
  readonly sink: Sink
  note(change: Partial<EngineState>): void
  tell(event: RunEvent): void
  /** A new item of the run; its index. */
  add(item: ItemRow): number
  /** The item as it is now, without telling anybody. */
  keep(item: ItemRow): void
  /** It is done, or not. */
  finish(item: ItemRow): void
  begin(): void
  change(status: RunStatus): void
  /** For APIs that would have refused the request so. */
  noteFault(fault: JsonObject): void
  /** Everything so far is written, and how far the run is. */
  commit(): Promise<void>
  /** Its new status, and with it everything so far. */
  rest(status: RunStatus, change?: Pick<RunChange, 'lastError' | 'incompleteDetails'>): Promise<RunRow>
}

export function openCourse(first: RunRow, before: readonly ItemRow[], sink: Sink, now: () => number): Course {
  let run = first
  const made = [...before]
  const indexes = new Map(made.map(({ id }, index) => [id, index]))
  const at = (item: ItemRow): number => indexes.get(item.id) as number

  function changeRun(change: RunChange): void {
    run = { ...run, ...change }
    sink.tell({ type: 'run-changed', run })
  }

  const course: Course = {
    get run() {
      return run
    },
    get engine() {
      return stateOf(run).engine
    },
    made,
    sink,
    note(change) {
      run = withEngine(run, change)
    },
    tell: (event) => sink.tell(event),
    add(item) {
      const index = made.length
      indexes.set(item.id, index)
      made.push(item)
      sink.tell({ type: 'item-added', item, index })
      return index
    },
    keep(item) {
      made[at(item)] = item
      sink.keep([item])
    },
    finish(item) {
      made[at(item)] = item
      sink.tell({ type: 'item-done', item, index: at(item) })
    },
    change: (status) => changeRun({ status }),
    noteFault(fault) {
      run = { ...run, state: { ...run.state, fault } }
    },
    begin() {
      changeRun({ status: 'in_progress', startedAt: run.startedAt ?? now() })
    },
    commit() {
      return sink.commit(stateChange())
    },
    async rest(status, change = {}) {
      const hasEnded = status !== 'requires_action'
      const ended = hasEnded ? { endedAt: now(), usage: usageOf(course.engine) } : {}
      const waiting = hasEnded ? [] : made.flatMap((item) => (isWaitedFor(item) ? [item.document] : []))
      const state = hasEnded ? run.state : { ...run.state, waiting }
      const rested: RunRow = { ...run, ...change, ...ended, status, state }
      // One more event, or a few: numbers that are not used leave a gap, and nobody minds.
      run = withEngine(rested, { next: sink.next + reserved })
      await sink.commit({ ...change, ...ended, ...stateChange() }, { type: 'run-changed', run })
      return run
    },
  }

  function stateChange(): RunChange {
    return { status: run.status, state: run.state, startedAt: run.startedAt }
  }
  return course
}

/** A call of a function of the caller: his is the next word. */
function isWaitedFor({ type, status }: ItemRow): boolean {
  return type === 'function_call' && status === 'in_progress'
}

const reasons: Partial<Record<RunStatus, string>> = {
  cancelled: 'run_cancelled',
  expired: 'run_expired',
  failed: 'run_failed',
}

/** The item as it is left when its run ends so, or when it is begun anew. */
export function cutShort(item: ItemRow, ending: RunStatus, endedAt: number): ItemRow {
  const isMessage = item.type === 'message' || item.type === 'reasoning'
  const status: ItemStatus = isMessage
    ? 'incomplete'
    : ending === 'cancelled' || ending === 'expired' || ending === 'failed'
      ? ending
      : 'incomplete'
  const cut: ItemRow = {
    ...item,
    status,
    endedAt,
    document: { ...item.document, ...('status' in item.document && { status: 'incomplete' }) },
  }
  return item.type === 'message'
    ? withBeside(cut, { incomplete_details: { reason: reasons[ending] ?? 'run_failed' } })
    : cut
}
