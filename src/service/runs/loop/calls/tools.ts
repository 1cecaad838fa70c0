import type { Tool } from '../../../../core/call.ts'
import { Fault } from '../../../../core/fault.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../../core/json.ts'
import type { ItemRow, RunRow } from '../../../../port/tables/runs/port.ts'
import type { HostedTools, OpenTool, ToolContext } from '../../../tools/hosted-tool.ts'
import { objectsOf } from '../../kept-beside.ts'

/** The tools of a run: those that the server runs, open, and what the model is offered for all of them. */
export type RunTools = {
  /** As the request has them, functions in place of hosted ones. */
  readonly offered: readonly JsonObject[]
  /** Without the hosted ones, whose calls have been used up. */
  readonly others: readonly JsonObject[]
  readonly instructions: readonly string[]
  /** Items that the tools have to show before anything is said. */
  readonly items: readonly JsonObject[]
  readonly open: readonly OpenTool[]
  find(name: string): { readonly tool: OpenTool; readonly type: string } | undefined
  /** `tool_choice` in terms of what is offered. */
  choose(choice: Json | undefined): Json | undefined
  close(): Promise<void>
}

const prefixes: Readonly<Record<string, string>> = {
  file_search_call: 'fs_',
  code_interpreter_call: 'ci_',
  mcp_call: 'mcp_',
  mcp_approval_request: 'mcpr_',
  mcp_list_tools: 'mcpl_',
}

/** How ids of items of that type begin. */
export function itemPrefix(type: string): string {
  return prefixes[type] ?? 'item_'
}

/** Opens what a run's request names. Rejects with a Fault where one cannot be opened; those that were are closed again. */
export async function openRunTools(run: RunRow, hosted: HostedTools, context: ToolContext): Promise<RunTools> {
  const byName = new Map<string, { tool: OpenTool; type: string }>()
  const namesByType = new Map<string, string[]>()
  const offered: JsonObject[] = []
  const others: JsonObject[] = []
  const opened: OpenTool[] = []
  const close = async (): Promise<void> => {
    await Promise.allSettled(opened.map((tool) => tool.close()))
  }
  try {
    for (const config of objectsOf(run.request.tools)) {
      const type = String(config.type)
      const kind = hosted.get(type)
      if (!kind) {
        offered.push(config)
        others.push(config)
        continue
      }
      const tool = await kind.open(config, context)
      opened.push(tool)
      for (const offer of tool.functions) {
        if (byName.has(offer.name)) throw doubled(offer.name)
        byName.set(offer.name, { tool, type })
        namesByType.set(type, [...(namesByType.get(type) ?? []), offer.name])
        offered.push(writeFunction(offer))
      }
    }
    for (const other of others) {
      if (other.type === 'function' && byName.has(String(other.name))) throw doubled(String(other.name))
    }
  } catch (error) {
    await close()
    throw error
  }
  return {
    offered,
    others,
    open: opened,
    instructions: opened.flatMap(({ instructions }) => (instructions ? [instructions] : [])),
    items: opened.flatMap(({ items }) => items ?? []),
    find: (name) => byName.get(name),
    choose(choice) {
      if (!isJsonObject(choice) || choice.type === 'function') return choice
      const names = namesByType.get(String(choice.type))
      if (!names) return choice
      // Of several functions of one tool the model may take any, and so any other: the protocols know no closer choice that all models take.
      return names.length === 1 ? { type: 'function', name: names[0] as string } : 'required'
    },
    close,
  }
}

function doubled(name: string): Fault {
  return new Fault(
    'invalid-request',
    `Invalid value for 'tools': the function ${JSON.stringify(name.slice(0, 64))} has the name of one that a built-in tool of this request uses. Give it another one.`,
    { param: 'tools' },
  )
}

function writeFunction({ name, description, parameters, strict }: Tool): JsonObject {
  return {
    type: 'function',
    name,
    ...(description !== undefined && { description }),
    ...(parameters !== undefined && { parameters }),
    strict: strict ?? false,
  }
}

/** Calls of hosted tools that have been asked for and not been done. */
export function isUnfinished(item: ItemRow): boolean {
  return item.status === 'in_progress' && item.extras.call !== undefined
}
