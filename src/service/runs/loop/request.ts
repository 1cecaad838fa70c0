import type { ChatCall } from '../../../core/call.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { RunRow } from '../../../port/tables/runs/port.ts'
import { openaiResponsesServer } from '../../../wire/openai-responses/server.ts'
import type { RunTools } from './calls/tools.ts'

/** Fields of a run's request that are ours to answer for, and that no model is asked. */
const ours: ReadonlySet<string> = new Set([
  'input',
  'store',
  'background',
  'previous_response_id',
  'conversation',
  'truncation',
  'max_tool_calls',
  'stream_options',
  'tools',
  'tool_choice',
  'instructions',
  'max_output_tokens',
])

export type TurnRequest = {
  readonly input: readonly JsonObject[]
  /** Whether calls of hosted tools may still be made. */
  readonly mayCallHosted: boolean
  readonly maxOutputTokens: number | undefined
  /** Whether nothing has been called yet: a forced choice holds for the first turn, or the run would never end. */
  readonly isFirst: boolean
}

/** One turn of a run as a call of its model. Throws the Faults of the Responses protocol, for what it cannot ask so. */
export function readTurnCall(run: RunRow, tools: RunTools, turn: TurnRequest): ChatCall {
  const { request } = run
  const body: JsonObject = {}
  for (const name in request) if (!ours.has(name)) body[name] = request[name] as JsonObject[string]
  const instructions = [request.instructions, ...tools.instructions].filter(
    (text): text is string => typeof text === 'string' && text !== '',
  )
  const offered = turn.mayCallHosted ? tools.offered : tools.others
  if (instructions.length > 0) body.instructions = instructions.join('\n\n')
  if (offered.length > 0) body.tools = [...offered]
  // A request that asks nothing is a turn without words: a run on an empty thread.
  body.input = turn.input.length > 0 ? [...turn.input] : ''
  body.stream = true
  if (turn.maxOutputTokens !== undefined) body.max_output_tokens = turn.maxOutputTokens
  const choice = turn.isFirst || request.tool_choice === 'none' ? tools.choose(request.tool_choice) : 'auto'
  if (offered.length > 0 && choice !== undefined && choice !== null) body.tool_choice = choice
  const call = openaiResponsesServer.readCall({ text: '', body, header: () => null }) as ChatCall
  // The text is not what this call says, so that nobody can pass it on as it is.
  return { ...call, source: undefined }
}
