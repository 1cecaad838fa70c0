import type { Event } from '../../core/event.ts'
import type { FilterOffsets, FilterResults } from '../../core/filter/results.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { addResults, createResultsWriter, explanationFields, writePromptResults } from './annotations.ts'

/** Annotations in the streams of the Azure OpenAI surfaces, and of those that are written like them. */
export type StreamAnnotations = {
  /** Takes what our filters say of the prompt. It is written with the next event, which may be the upstream's own word on it. */
  hold(event: Extract<Event, { type: 'prompt-filter' }>): void
  /** Takes fields that came without a choice, to go out with what is due next. */
  keep(fields: JsonObject | undefined): void
  /** What is due, for a chunk that has a choice too: members with a comma before each, mostly none. */
  takeDue(): string
  /** The chunk that is due before anything else is written; mostly empty. */
  flush(): string
  /** A chunk of fields that came without a choice. */
  writeFields(fields: JsonObject | undefined): string
  /** The fields that every chunk shall carry: but for the upstream's word on the prompt where ours is told too, which is told once. */
  takePrompt(fields: JsonObject | undefined): JsonObject | undefined
  /** The fields of a choice, and what our filters say of it, as JSON members with a comma after each. */
  writeChoice(results: FilterResults | undefined, fields?: JsonObject): string
}

/** `prompts`: how many the request has. */
export function openStreamAnnotations(prompts = 1): StreamAnnotations {
  const writeResults = createResultsWriter()
  let ours: FilterResults | undefined
  let theirs: Json | undefined
  let waiting: JsonObject | undefined

  const take = (fields: JsonObject | undefined): JsonObject => {
    const all: JsonObject = { ...waiting, ...fields }
    waiting = undefined
    if (ours) all.prompt_filter_results = writePromptResults(ours, theirs, prompts)
    return all
  }
  const write = (fields: JsonObject | undefined): string => writeBareChunk(take(fields))
  return {
    hold({ results, explanations }) {
      ours = results
      waiting = explanationFields(explanations) ?? {}
    },
    keep(fields) {
      theirs = fields?.prompt_filter_results ?? theirs
      waiting = { ...waiting, ...fields }
    },
    takeDue: () => (waiting ? writeMore(take(undefined)) : ''),
    flush: () => (waiting ? write(undefined) : ''),
    writeFields(fields) {
      theirs = fields?.prompt_filter_results ?? theirs
      return waiting || fields?.prompt_filter_results !== undefined ? write(fields) : writeBareChunk(fields)
    },
    takePrompt(fields) {
      if (!ours || fields?.prompt_filter_results === undefined) return fields
      const { prompt_filter_results, ...others } = fields
      theirs = prompt_filter_results
      waiting ??= {}
      return Object.keys(others).length > 0 ? others : undefined
    },
    writeChoice(results, fields) {
      if (!results) return writeMembers(fields)
      return fields ? writeMembers(addResults(results, fields)) : `"content_filter_results":${writeResults(results)},`
    },
  }
}

/** The members of a choice that annotates what has gone out already, as the service's asynchronous filter writes them. */
export function writeOffsets({ check, start, end }: FilterOffsets): string {
  return `"content_filter_offsets":{"check_offset":${check},"start_offset":${start},"end_offset":${end}},"content_filter_raw":[],`
}

/** That annotation in the service's own shape, whose choice has no `delta`. */
export function writeStrictAnnotation(
  choice: number,
  results: string,
  offsets: FilterOffsets,
  hasUsage: boolean,
): string {
  return `data: {"choices":[{${results}${writeOffsets(offsets)}"finish_reason":null,"index":${choice}}],"created":0,"id":"","model":"","object":""${hasUsage ? ',"usage":null' : ''}}\n\n`
}

/** A chunk without choices or an id, as the service sends its annotations of the prompt: every client takes it. */
function writeBareChunk(fields: JsonObject | undefined): string {
  return `data: {"choices":[],"created":0,"id":"","model":"","object":""${writeMore(fields)}}\n\n`
}

/** Fields put after others, with the comma before them. */
export function writeMore(fields: JsonObject | undefined): string {
  const members = writeInside(fields)
  return members && `,${members}`
}

/** Fields put before others, with the comma after them. */
function writeMembers(fields: JsonObject | undefined): string {
  const members = writeInside(fields)
  return members && `${members},`
}

function writeInside(fields: JsonObject | undefined): string {
  return fields ? JSON.stringify(fields).slice(1, -1) : ''
}
