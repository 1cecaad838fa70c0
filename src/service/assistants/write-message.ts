import type { Json, JsonObject } from '../../core/json.ts'
import type { ItemRow } from '../../port/tables/runs/port.ts'
import { besideOf, objectsOf } from '../runs/kept-beside.ts'
import { countCharacters } from '../runs/loop/marks.ts'

/** A message as the Assistants API shows it. */
export function writeMessage(item: ItemRow): JsonObject {
  const { document, extras, status } = item
  const { incomplete_details: incomplete, images = [] } = besideOf(item)
  const isMade = !item.isInput && item.runId !== undefined
  const endedAt = item.endedAt === undefined ? null : seconds(item.endedAt)
  return {
    id: item.id,
    object: 'thread.message',
    created_at: seconds(item.createdAt),
    thread_id: item.homeId,
    status: status === 'completed' || status === 'in_progress' ? status : 'incomplete',
    incomplete_details: incomplete ? { reason: incomplete.reason } : null,
    completed_at: status === 'completed' ? (endedAt ?? seconds(item.createdAt)) : null,
    incomplete_at: status === 'completed' || status === 'in_progress' ? null : endedAt,
    role: document.role === 'assistant' ? 'assistant' : 'user',
    content: [...images.map(writeImage), ...writeContent(item)],
    assistant_id: isMade ? (extras.assistant_id ?? null) : null,
    run_id: isMade ? (item.runId as string) : null,
    attachments: extras.attachments ?? [],
    metadata: extras.metadata ?? {},
  }
}

export function writeImage(fileId: string): JsonObject {
  return { type: 'image_file', image_file: { file_id: fileId, detail: 'auto' } }
}

export function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1_000)
}

function writeContent(item: ItemRow): JsonObject[] {
  const { content } = item.document
  if (typeof content === 'string') return [writeText(content, [])]
  return objectsOf(content).map((part): JsonObject => {
    const { text, detail, file_id: fileId } = part
    switch (part.type) {
      case 'output_text': {
        const { value, annotations } = showMarks(String(text ?? ''), objectsOf(part.annotations), besideOf(item).marks)
        return writeText(value, annotations)
      }
      case 'refusal':
        return { type: 'refusal', refusal: part.refusal ?? '' }
      case 'input_image':
        return typeof fileId === 'string'
          ? { type: 'image_file', image_file: { file_id: fileId, detail: detail ?? 'auto' } }
          : { type: 'image_url', image_url: { url: part.image_url ?? '', detail: detail ?? 'auto' } }
      default:
        return writeText(String(text ?? ''), [])
    }
  })
}

function writeText(value: string, annotations: readonly JsonObject[]): JsonObject {
  return { type: 'text', text: { value, annotations: [...annotations] } }
}

/** A mark, where it stands in the text without marks, in characters. */
export type PlacedMark = { readonly at: number; readonly mark: string }

/**
 * The text with the marks of its sources in their places again, and the annotations as this API has them: each with its mark, and where that
 * begins and ends, in characters.
 */
export function showMarks(
  text: string,
  annotations: readonly JsonObject[],
  marks: readonly string[] = [],
): { readonly value: string; readonly annotations: JsonObject[] } {
  if (annotations.length === 0) return { value: text, annotations: [] }
  const placed: PlacedMark[] = []
  const written = annotations.map((annotation, index) => {
    const mark = marks[index] ?? ''
    const shown = writeAnnotation(annotation, mark, placed, text)
    placeMark(placed, annotation, mark)
    return shown
  })
  const characters = [...text]
  let value = ''
  let from = 0
  for (const { at, mark } of placed) {
    value += characters.slice(from, at).join('') + mark
    from = Math.max(from, at)
  }
  return { value: value + characters.slice(from).join(''), annotations: written }
}

/** They come in the order of their places. */
export function placeMark(marks: PlacedMark[], annotation: JsonObject, mark: string): void {
  if (mark !== '') marks.push({ at: placeOf(annotation), mark })
}

function placeOf({ index, start_index: start }: JsonObject): number {
  return typeof index === 'number' ? index : typeof start === 'number' ? start : 0
}

/** An annotation in the words of this API. `marks` are those that were placed before, `text` is what stands between them. */
export function writeAnnotation(
  annotation: JsonObject,
  mark: string,
  marks: readonly PlacedMark[],
  text: string,
): JsonObject {
  const at = placeOf(annotation)
  const ahead = marks.reduce((sum, placed) => (placed.at <= at ? sum + countCharacters(placed.mark) : sum), 0)
  const start = at + ahead
  const fileId = annotation.file_id as Json
  if (annotation.type === 'container_file_citation') {
    const end = Number(annotation.end_index)
    const named = end > at ? [...text].slice(at, end).join('') : ''
    return {
      type: 'file_path',
      text: named,
      start_index: start,
      end_index: end + ahead,
      file_path: { file_id: fileId },
    }
  }
  const length = mark === '' ? Number(annotation.end_index ?? at) - at : countCharacters(mark)
  return {
    type: 'file_citation',
    text: mark,
    start_index: start,
    end_index: start + length,
    file_citation: { file_id: fileId },
  }
}
