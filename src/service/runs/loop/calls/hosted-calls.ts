import { Fault } from '../../../../core/fault.ts'
import type { JsonObject } from '../../../../core/json.ts'
import type { ItemRow } from '../../../../port/tables/runs/port.ts'
import type { ToolOutcome, ToolProgress } from '../../../tools/hosted-tool.ts'
import { besideOf, type HostedCall, withBeside } from '../../kept-beside.ts'
import type { Course } from '../course.ts'
import { unlessHalted } from '../halt.ts'
import type { MarkReader } from '../marks.ts'
import { isUnfinished, type RunTools } from './tools.ts'

/**
 * Does all calls of hosted tools that have not been done, at the same time. Each outcome is written as soon as it is there: whoever goes on
 * with the run after a crash does the others only.
 */
export async function runHostedCalls(
  course: Course,
  tools: RunTools,
  marks: MarkReader,
  signal: AbortSignal,
  now: () => number,
): Promise<void> {
  const unfinished = course.made.filter(isUnfinished)
  await unlessHalted(Promise.all(unfinished.map((item) => runOne(item))), signal)

  async function runOne(item: ItemRow): Promise<void> {
    const call = besideOf(item).call as HostedCall
    const index = course.made.findIndex(({ id }) => id === item.id)
    const found = tools.find(call.name)
    const report = (progress: ToolProgress): void => {
      if (!signal.aborted) course.tell({ type: 'tool-progress', item, index, progress })
    }
    if (!found) throw new Fault('internal', `no tool has the function ${call.name}`)
    const outcome = await found.tool.call(item.id, call.name, call.arguments, report)
    if (signal.aborted) return
    if ('pause' in outcome) course.finish(pauseItem(item, call, outcome.pause, now()))
    else {
      if (outcome.citations) marks.know(outcome.citations)
      course.finish(finishItem(item, call, outcome, now()))
    }
    await course.commit()
  }
}

export function finishItem(item: ItemRow, call: HostedCall, outcome: ToolOutcome, endedAt: number): ItemRow {
  const { id: _, ...document } = outcome.item
  const { text, citations, files } = outcome
  const done = withBeside(item, { call: { ...call, output: text, citations, files } })
  const status = document.status === 'failed' || document.status === 'incomplete' ? document.status : 'completed'
  return { ...done, type: typeof document.type === 'string' ? document.type : item.type, document, status, endedAt }
}

function pauseItem(item: ItemRow, call: HostedCall, pause: JsonObject, endedAt: number): ItemRow {
  const { id: _, ...document } = pause
  const paused = withBeside(item, { call: { ...call, isPaused: true } })
  return { ...paused, type: String(document.type), document, status: 'completed', endedAt }
}

/** Whether the caller has to agree to something before the model is asked again. */
export function isPaused(item: ItemRow): boolean {
  return besideOf(item).call?.isPaused === true
}

/** What tools gave the model to refer to, in all the run has made: for whoever goes on with it. */
export function knowSources(made: readonly ItemRow[], marks: MarkReader): void {
  for (const item of made) {
    const { call } = besideOf(item)
    if (call?.citations) marks.know(call.citations)
  }
}
