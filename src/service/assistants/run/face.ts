import type { JsonObject } from '../../../core/json.ts'
import type { ItemRow, RunEventRow, RunRow } from '../../../port/tables/runs/port.ts'
import type { Face, FaceWriter, RunEvent } from '../../runs/face.ts'
import { besideOf } from '../../runs/kept-beside.ts'
import { stateOf } from '../../runs/state.ts'
import { type PlacedMark, placeMark, writeAnnotation, writeImage, writeMessage } from '../write-message.ts'
import { writeRun } from '../write-run.ts'
import { isStepItem, stepStatus, writeOutputs, writeStep, writeToolCall } from '../write-step.ts'

/** The events of a run in the Assistants API: `thread.run.created` to `done`, in the order in which the service sends them. */
export const assistantsFace: Face = {
  kind: 'run',
  terminator: { name: 'done', data: '[DONE]' },
  open: openWriter,
}

type OpenMessage = { readonly textIndex: number; text: string; hasText: boolean; readonly marks: PlacedMark[] }

function openWriter(first: RunRow, next: number, before: readonly ItemRow[]): FaceWriter {
  let run = first
  let seq = next
  let told: RunEventRow[] = []
  /** Items of steps, as they are now. */
  const steps = new Map<string, ItemRow[]>()
  const messages = new Map<string, OpenMessage>()
  for (const item of before) if (isStepItem(item)) put(item)

  function tell(name: string, data: JsonObject): void {
    told.push({ seq: seq++, name, data: JSON.stringify(data) })
  }

  /** Whether its step is a new one. */
  function put(item: ItemRow): boolean {
    const stepId = item.stepId as string
    const items = steps.get(stepId)
    if (!items) {
      steps.set(stepId, [item])
      return true
    }
    const at = items.findIndex(({ id }) => id === item.id)
    if (at < 0) items.push(item)
    else items[at] = item
    return false
  }
  const itemsOf = ({ stepId }: ItemRow): ItemRow[] => steps.get(stepId as string) as ItemRow[]
  const callIndex = (item: ItemRow): number => itemsOf(item).findIndex(({ id }) => id === item.id)

  function beginStep(item: ItemRow): void {
    // Its calls are told one by one.
    const { step_details: details, ...step } = writeStep(run, [item])
    const begun = { ...step, step_details: item.type === 'message' ? details : { type: 'tool_calls', tool_calls: [] } }
    tell('thread.run.step.created', begun as JsonObject)
    tell('thread.run.step.in_progress', begun as JsonObject)
  }

  function stepDelta(item: ItemRow, call: JsonObject): void {
    tell('thread.run.step.delta', {
      id: item.stepId as string,
      object: 'thread.run.step.delta',
      delta: { step_details: { type: 'tool_calls', tool_calls: [{ index: callIndex(item), ...call }] } },
    })
  }

  function messageDelta(item: ItemRow, content: JsonObject): void {
    tell('thread.message.delta', { id: item.id, object: 'thread.message.delta', delta: { content: [content] } })
  }

  function textDelta(item: ItemRow, value: string, annotations?: JsonObject[]): void {
    const open = messages.get(item.id)
    if (!open) return
    const isFirst = !open.hasText
    open.hasText = true
    const text: JsonObject = annotations || isFirst ? { value, annotations: annotations ?? [] } : { value }
    messageDelta(item, { index: open.textIndex, type: 'text', text })
  }

  function add(item: ItemRow): void {
    if (!isStepItem(item)) return
    const isNew = put(item)
    if (isNew) beginStep(item)
    if (item.type === 'message') {
      const { images = [] } = besideOf(item)
      messages.set(item.id, { textIndex: images.length, text: '', hasText: false, marks: [] })
      const begun = { ...writeMessage(item), content: [] }
      tell('thread.message.created', begun)
      tell('thread.message.in_progress', begun)
      for (const [index, fileId] of images.entries()) messageDelta(item, { index, ...writeImage(fileId) })
      return
    }
    const call = writeToolCall(item, false)
    // What was found is told when it was.
    stepDelta(item, item.type === 'file_search_call' ? { ...call, file_search: {} } : call)
  }

  function annotate({ item, at, annotation, mark }: Extract<RunEvent, { type: 'annotation-added' }>): void {
    const open = messages.get(item.id)
    if (!open) return
    const written = writeAnnotation(annotation, mark, open.marks, open.text)
    textDelta(item, mark, [{ index: at, ...written }])
    placeMark(open.marks, annotation, mark)
  }

  function finish(item: ItemRow): void {
    if (!isStepItem(item)) return
    put(item)
    if (item.type === 'message') {
      messages.delete(item.id)
      tell(item.status === 'completed' ? 'thread.message.completed' : 'thread.message.incomplete', writeMessage(item))
    } else if (item.type === 'code_interpreter_call') {
      stepDelta(item, {
        id: item.id,
        type: 'code_interpreter',
        code_interpreter: { outputs: writeOutputs(item).map((output, index) => ({ index, ...output })) },
      })
    } else if (item.type === 'file_search_call') stepDelta(item, writeToolCall(item, false))
    const items = itemsOf(item)
    const status = stepStatus(items)
    if (status !== 'in_progress') tell(`thread.run.step.${status}`, writeStep(run, items))
  }

  function change(changed: RunRow): void {
    run = changed
    const { status } = run
    // As it was made, before anybody has looked at it.
    if (status === 'queued' && run.startedAt === undefined && stateOf(run).engine.turns === 0) {
      tell('thread.run.created', writeRun(run))
    }
    tell(`thread.run.${status}`, writeRun(run))
  }

  return {
    write(event) {
      told = []
      switch (event.type) {
        case 'run-changed':
          change(event.run)
          break
        case 'item-added':
          add(event.item)
          break
        case 'text-delta': {
          const open = messages.get(event.item.id)
          if (open) open.text += event.text
          textDelta(event.item, event.text)
          break
        }
        case 'annotation-added':
          annotate(event)
          break
        case 'refusal-delta': {
          const open = messages.get(event.item.id)
          const index = (open?.textIndex ?? 0) + (open?.hasText ? 1 : 0)
          messageDelta(event.item, { index, type: 'refusal', refusal: event.text })
          break
        }
        case 'arguments-delta':
          stepDelta(event.item, { type: 'function', function: { arguments: event.text } })
          break
        case 'tool-progress':
          if (event.progress.type === 'code') {
            stepDelta(event.item, { type: 'code_interpreter', code_interpreter: { input: event.progress.delta } })
          }
          break
        case 'item-done':
          finish(event.item)
      }
      return told
    },
  }
}
