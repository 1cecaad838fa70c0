import type { JsonObject } from '../../../../core/json.ts'
import type { ItemRow } from '../../../../port/tables/runs/port.ts'
import { type HostedCall, withBeside } from '../../kept-beside.ts'
import { stateOf } from '../../state.ts'
import { callsLeft } from '../budgets.ts'
import type { Course } from '../course.ts'
import type { AskedCall } from '../fold-answer.ts'
import type { MakeItem } from '../make-item.ts'
import { itemPrefix, type RunTools } from './tools.ts'

/** What a run does with the calls of one turn before any of them is done. */

/**
 * Makes items of the calls of hosted tools, within the calls that the run has left; further ones are passed over, as the API says. The calls
 * of the caller's functions have their items already.
 */
export function beginCalls(
  course: Course,
  tools: RunTools,
  calls: readonly AskedCall[],
  stepId: string,
  makeItem: MakeItem,
  usage: JsonObject | undefined,
): void {
  let left = callsLeft(course.run)
  let count = 0
  for (const { id, name, arguments: text, item } of calls) {
    const found = tools.find(name)
    if (item || !found || left <= 0) continue
    left--
    count++
    // What the item will be says how its id begins.
    const type = String(found.tool.begin('', name, text).type)
    const call: HostedCall = { call_id: id, name, arguments: text }
    const made = withBeside(makeItem(type, itemPrefix(type), {}, stepId), { call, usage })
    const { id: _, ...document } = found.tool.begin(made.id, name, text)
    course.add({ ...made, document })
  }
  course.note({ phase: 'tools', toolCalls: stateOf(course.run).engine.toolCalls + count })
}

/** Calls of the caller's functions that have no output yet. */
export function openCalls(made: readonly ItemRow[], outputs: readonly ItemRow[]): readonly ItemRow[] {
  const answered = new Set(outputs.map(({ document }) => document.call_id))
  return made.filter(({ type, document }) => type === 'function_call' && !answered.has(document.call_id))
}

/** Where they are the caller's to answer in a run of its own, they are done with being asked for. */
export function finishFunctions(course: Course, endedAt: number): void {
  for (const item of [...course.made]) {
    if (item.type !== 'function_call' || item.status !== 'in_progress') continue
    course.finish({ ...item, status: 'completed', endedAt, document: { ...item.document, status: 'completed' } })
  }
}
