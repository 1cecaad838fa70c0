import type { TokenLogprob } from '../../core/event.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ItemRow, RunEventRow, RunRow } from '../../port/tables/runs/port.ts'
import type { ToolProgress } from '../tools/hosted-tool.ts'

/**
 * What happens in a run, in the engine's words. Order: `run-changed` whenever its status does; for each item one `item-added`, deltas, one
 * `item-done`. Items are those of the tables: documents in the shape of the Responses API.
 *
 * A message has at most one `output_text`, and behind it at most one `refusal`. The item of a delta is the one that was added; its document
 * is whole in `item-done` only. What the engine keeps in `extras` is `kept-beside.ts`.
 */
export type RunEvent =
  | { readonly type: 'run-changed'; readonly run: RunRow }
  /** `index` counts the items that the run has made, from 0. */
  | { readonly type: 'item-added'; readonly item: ItemRow; readonly index: number }
  | {
      readonly type: 'text-delta'
      readonly item: ItemRow
      readonly index: number
      readonly text: string
      readonly logprobs?: readonly TokenLogprob[] | undefined
    }
  | { readonly type: 'refusal-delta'; readonly item: ItemRow; readonly index: number; readonly text: string }
  | { readonly type: 'reasoning-delta'; readonly item: ItemRow; readonly index: number; readonly text: string }
  | { readonly type: 'arguments-delta'; readonly item: ItemRow; readonly index: number; readonly text: string }
  | {
      readonly type: 'annotation-added'
      readonly item: ItemRow
      readonly index: number
      /** Which of the text's, from 0. */
      readonly at: number
      readonly annotation: JsonObject
      /** What stood in the model's text, which the old API shows; '' where nothing was taken out. Kept in the item's `extras.marks`. */
      readonly mark: string
    }
  | { readonly type: 'tool-progress'; readonly item: ItemRow; readonly index: number; readonly progress: ToolProgress }
  /** With its whole document, and its end: completed, or not. */
  | { readonly type: 'item-done'; readonly item: ItemRow; readonly index: number }

/** How one API tells of a run: `thread.message.delta`, or `response.output_text.delta`. */
export type Face = {
  readonly kind: RunRow['kind']
  /** One for each run while it runs in this process. `next` is the number of its next event; `items` those it has made so far. */
  open(run: RunRow, next: number, items: readonly ItemRow[]): FaceWriter
  /** What ends its stream: `event: done`, `data: [DONE]`; undefined where nothing does. */
  readonly terminator: { readonly name: string | undefined; readonly data: string } | undefined
}

/** Turns what happens into what callers are told, none, one or several at once. */
export type FaceWriter = { write(event: RunEvent): readonly RunEventRow[] }
