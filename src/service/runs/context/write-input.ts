import type { JsonObject } from '../../../core/json.ts'
import type { ItemRow } from '../../../port/tables/runs/port.ts'
import { recallCall } from '../../tools/mcp/names.ts'
import { besideOf, type HostedCall, objectsOf } from '../kept-beside.ts'

/**
 * Items as the model is told of them, as the input of a Responses request: calls of hosted tools as calls of the functions they were, and
 * every output behind the calls it was asked for with. Calls without an output are left out where `dropsUnanswered`: their run was ended
 * before it had one. Outputs without a call, which truncation has cut off, always are.
 */
export function writeInput(rows: readonly ItemRow[], dropsUnanswered: boolean): JsonObject[] {
  const outputs = new Map<string, JsonObject>()
  for (const { type, document } of rows) {
    if (type === 'function_call_output' && typeof document.call_id === 'string') outputs.set(document.call_id, document)
  }
  const input: JsonObject[] = []
  let waiting: JsonObject[] = []
  let step: string | undefined
  const endCalls = (): void => {
    input.push(...waiting)
    waiting = []
    step = undefined
  }
  for (const row of rows) {
    const { document } = row
    const call = besideOf(row).call ?? recall(row)
    if (call) {
      if (call.output === undefined) continue
      if (waiting.length > 0 && step !== row.stepId) endCalls()
      step = row.stepId
      const { call_id, name, arguments: text, output } = call
      input.push({ type: 'function_call', call_id, name, arguments: text })
      waiting.push({ type: 'function_call_output', call_id, output })
      continue
    }
    switch (row.type) {
      case 'function_call': {
        const output = outputs.get(String(document.call_id))
        if (!output && dropsUnanswered) break
        if (waiting.length > 0 && step !== row.stepId) endCalls()
        step = row.stepId
        const { call_id, name, arguments: text } = document
        input.push({ type: 'function_call', call_id, name, arguments: text } as JsonObject)
        if (output)
          waiting.push({ type: 'function_call_output', call_id: output.call_id, output: output.output } as JsonObject)
        break
      }
      // Told with their calls.
      case 'function_call_output':
        break
      case 'message':
        endCalls()
        if (hasContent(document)) input.push(writeMessage(document))
        break
      case 'reasoning': {
        // Thoughts are of use to the model that sealed them, and to no other.
        if (typeof document.encrypted_content !== 'string') break
        endCalls()
        const { status: _, ...told } = document
        const { upstream_id } = row.extras
        input.push({ ...told, ...(typeof upstream_id === 'string' && { id: upstream_id }) })
        break
      }
      default:
        // What we run ourselves and has no call to tell of is for the caller to see, and not for the model.
        if (ours.has(row.type)) break
        endCalls()
        input.push(withUpstreamId(row))
    }
  }
  endCalls()
  return input
}

const ours: ReadonlySet<string> = new Set([
  'file_search_call',
  'code_interpreter_call',
  'mcp_call',
  'mcp_list_tools',
  'mcp_approval_request',
  'mcp_approval_response',
])

/** A call of an earlier response that the caller sends himself: all that is known of it is the item. */
function recall({ id, type, document }: ItemRow): HostedCall | undefined {
  if (type !== 'mcp_call') return undefined
  const { name, args, text } = recallCall(document)
  return { call_id: id, name, arguments: args, output: text }
}

function withUpstreamId({ document, extras }: ItemRow): JsonObject {
  return typeof extras.upstream_id === 'string' ? { ...document, id: extras.upstream_id } : document
}

function hasContent({ content, role }: JsonObject): boolean {
  // A message that was cut off before its first word is none.
  return role !== 'assistant' || typeof content === 'string' || objectsOf(content).length > 0
}

/** Without what only callers are shown. */
function writeMessage({ role, content }: JsonObject): JsonObject {
  if (typeof content === 'string') return { type: 'message', role, content } as JsonObject
  const parts = objectsOf(content).map((part) =>
    part.type === 'output_text' ? { type: 'output_text', text: part.text ?? '' } : part,
  )
  return { type: 'message', role, content: parts } as JsonObject
}
