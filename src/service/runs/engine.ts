import { Fault } from '../../core/fault.ts'
import type { ItemRow, RunEventRow, RunRow, RunStatus } from '../../port/tables/runs/port.ts'
import type { RunEvent } from './face.ts'
import { runJobKind } from './handler.ts'
import { compareItems } from './item-order.ts'
import { followRun, waitForRest } from './live/follow.ts'
import type { LiveRuns } from './live/live-runs.ts'
import { openMemorySink } from './live/memory-sink.ts'
import { cutShort } from './loop/course.ts'
import { Halt } from './loop/halt.ts'
import { createMakeItem } from './loop/make-item.ts'
import { runToRest } from './loop/run-loop.ts'
import type { RunWorld } from './parts.ts'
import type { NewRun, RunEngine } from './port.ts'
import { firstState, hasEnded, stateOf, usageOf, withEngine } from './state.ts'

export function createRunEngine(world: RunWorld, live: LiveRuns): RunEngine & WaitingEnds {
  const { table, now, nudge, settings } = world

  const openFace = (run: RunRow, next: number, items: readonly ItemRow[]) => {
    const face = world.faces[run.kind]
    if (!face) throw new TypeError(`nobody tells of runs of kind ${run.kind}`)
    return face.open(run, next, items)
  }

  /** The run as it begins, and what is told of that. */
  function prepare({ run, events = [], isDurable }: NewRun): { run: RunRow; events: RunEventRow[] } {
    const made = { ...run, state: { ...run.state, engine: firstState(isDurable) } }
    const before = events.map((event, seq) => ({ ...event, seq }))
    const told = openFace(made, before.length, []).write({ type: 'run-changed', run: made })
    const all = [...before, ...told]
    return { run: withEngine(made, { next: (all.at(-1)?.seq ?? -1) + 1 }), events: all }
  }

  async function start(asked: NewRun): Promise<void> {
    const { run, events } = prepare(asked)
    const channel = live.announce(run.id, events.at(-1)?.seq ?? -1)
    channel.push(events)
    try {
      const active = await table.addRun(run, asked.items, events, { kind: runJobKind, runAt: now() })
      if (active !== undefined) throw hasActive(run.threadId, active)
    } catch (error) {
      live.end(run.id)
      throw error
    }
    nudge()
  }

  async function readMade(run: RunRow): Promise<ItemRow[]> {
    const items: ItemRow[] = []
    for (;;) {
      const page = await table.listItems(
        run.owner,
        { runId: run.id, isInput: false },
        { limit: 200, order: 'asc', after: items.at(-1)?.id },
      )
      items.push(...page.slice(0, 200))
      if (page.length <= 200) return items.toSorted(compareItems)
    }
  }

  /**
   * Changes a run that waits for its caller, with what is to be told of it. Whether it still waited: of several who do one does.
   */
  async function changeWaiting(
    run: RunRow,
    to: (made: readonly ItemRow[]) => {
      readonly run: RunRow
      readonly items: readonly ItemRow[]
      readonly inputs?: readonly ItemRow[]
    },
  ): Promise<RunRow | undefined> {
    const made = await readMade(run)
    const changed = to(made)
    const { next } = stateOf(run).engine
    const writer = openFace(run, next, made)
    const events = [
      ...changed.items.map(
        (item): RunEvent => ({ type: 'item-done', item, index: made.findIndex(({ id }) => id === item.id) }),
      ),
      { type: 'run-changed', run: changed.run } as const,
    ].flatMap((event) => writer.write(event))
    const after = withEngine(changed.run, { next: (events.at(-1)?.seq ?? next - 1) + 1 })
    const goesOn = after.status === 'queued'
    const channel = goesOn ? live.announce(run.id, after.status === 'queued' ? next - 1 : -1) : undefined
    const { status, state, endedAt, usage } = after
    const wasWaiting = await table.updateRun(
      run.owner,
      run.id,
      ['requires_action'],
      { status, state, ...(endedAt !== undefined && { endedAt, usage }) },
      {
        items: [...changed.items, ...(changed.inputs ?? [])],
        events,
        ...(goesOn && { job: { kind: runJobKind, runAt: now() } }),
      },
    )
    if (!wasWaiting) {
      if (channel && !channel.isRunning && channel.held.length === 0) live.end(run.id)
      return undefined
    }
    if (channel && !channel.isRunning) {
      channel.push(events)
      channel.writtenTo = events.at(-1)?.seq ?? channel.writtenTo
    }
    if (goesOn) nudge()
    return after
  }

  async function submit(owner: string, runId: string, outputs: ReadonlyMap<string, string>): Promise<RunRow> {
    const run = await table.getRun(owner, runId)
    if (!run) throw new Fault('not-found', `No run found with id '${runId.slice(0, 100)}'.`)
    if (run.status !== 'requires_action') throw isNotWaiting(run)
    const calls = (await readMade(run)).filter(
      ({ type, status }) => type === 'function_call' && status === 'in_progress',
    )
    checkOutputs(calls, outputs)
    const makeItem = createMakeItem(run, world)
    const endedAt = now()
    const queued = await changeWaiting(run, () => ({
      run: { ...run, status: 'queued' },
      items: calls.map((call) => ({
        ...call,
        status: 'completed',
        endedAt,
        // The face tells of the outputs too.
        extras: { ...call.extras, output: outputs.get(String(call.document.call_id)) as string },
        document: { ...call.document, status: 'completed' },
      })),
      inputs: calls.map((call) => {
        const callId = String(call.document.call_id)
        const document = { type: 'function_call_output', call_id: callId, output: outputs.get(callId) as string }
        const made = makeItem('function_call_output', 'fco_', document, call.stepId ?? '')
        return { ...made, isInput: true, status: 'completed' as const, endedAt }
      }),
    }))
    if (queued) return queued
    throw isNotWaiting((await table.getRun(owner, runId)) ?? run)
  }

  /** Ends a run that waits. Whether it did. */
  function endWaiting(run: RunRow, status: 'cancelled' | 'expired'): Promise<RunRow | undefined> {
    const endedAt = now()
    const ended = { ...run, status, endedAt, usage: usageOf(stateOf(run).engine) }
    return changeWaiting(run, (made) => ({
      run: ended,
      items: made.filter((item) => item.status === 'in_progress').map((item) => cutShort(item, status, endedAt)),
    }))
  }

  async function cancel(owner: string, runId: string): Promise<RunRow | undefined> {
    for (;;) {
      const run = await table.getRun(owner, runId)
      if (!run) return undefined
      if (run.status === 'cancelling') return run
      if (hasEnded(run)) throw cannotCancel(run)
      if (run.status === 'requires_action') {
        const ended = await endWaiting(run, 'cancelled')
        if (!ended) continue
        world.onEnd?.(ended)
        return ended
      }
      const status = 'cancelling'
      const job = { kind: runJobKind, runAt: now() }
      if (!(await table.updateRun(owner, runId, ['queued', 'in_progress'], { status }, { job }))) continue
      live.cancel(runId)
      nudge()
      return { ...run, status }
    }
  }

  function runOnce(asked: NewRun, signal: AbortSignal): ReturnType<RunEngine['runOnce']> {
    const { run, events } = prepare(asked)
    const { next } = stateOf(run).engine
    const sink = openMemorySink(openFace(run, next, []), next)
    sink.push(events)
    const halt = new AbortController()
    const cancelIt = (): void => halt.abort(new Halt('cancelled'))
    if (signal.aborted) cancelIt()
    else signal.addEventListener('abort', cancelIt, { once: true })
    const endAt = run.expiresAt ?? now() + settings.longestMs
    const stopTimer = world.startTimer(() => halt.abort(new Halt('too-long')), Math.max(0, endAt - now()))
    const work = async () => {
      try {
        const start = { run, made: [], outputs: [], given: asked.items, sink, signal: halt.signal }
        const ended = await runToRest(start, world)
        return { run: ended, items: [...sink.items.values()] }
      } finally {
        stopTimer()
        signal.removeEventListener('abort', cancelIt)
        sink.close()
      }
    }
    return { events: sink.events, ended: work() }
  }

  return {
    start,
    submit,
    cancel,
    runOnce,
    endWaiting,
    follow: (runId, after, signal) => followRun(runId, after, live, world, signal),
    async wait(runId, signal) {
      const run = await waitForRest(runId, live, world, signal)
      if (!run) throw new Fault('not-found', `No run found with id '${runId.slice(0, 100)}'.`)
      return run
    },
  }
}

/** For the chore that ends runs whose caller did not come back. */
export type WaitingEnds = { endWaiting(run: RunRow, status: 'cancelled' | 'expired'): Promise<RunRow | undefined> }

function hasActive(threadId: string | undefined, runId: string): Fault {
  return new Fault('invalid-request', `Thread ${threadId ?? ''} already has an active run ${runId}.`, {
    param: 'thread_id',
  })
}

/** UNCONFIRMED for Azure, and decided as OpenAI behaves: the texts from here on. */
function isNotWaiting({ status }: RunRow): Fault {
  return new Fault('invalid-request', `Runs in status "${status}" do not accept tool outputs.`, {})
}

const verbs: Partial<Record<RunStatus, string>> = { completed: 'completed', cancelled: 'cancelled' }

function cannotCancel({ status }: RunRow): Fault {
  return new Fault('invalid-request', `Cannot cancel run with status '${verbs[status] ?? status}'.`, {})
}

function checkOutputs(calls: readonly ItemRow[], outputs: ReadonlyMap<string, string>): void {
  const expected = calls.map(({ document }) => String(document.call_id))
  const given = [...outputs.keys()]
  if (expected.length === given.length && expected.every((id) => outputs.has(id))) return
  throw new Fault(
    'invalid-request',
    `Expected tool outputs for call_ids ${writeList(expected)}, got ${writeList(given)}`,
    { param: 'tool_outputs' },
  )
}

function writeList(ids: readonly string[]): string {
  return `[${ids.map((id) => `'${id.slice(0, 64)}'`).join(', ')}]`
}
