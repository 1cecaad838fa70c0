import { isJsonObject, type JsonObject } from '../json.ts'

/** The JSON text of a request for a stream, `body` parsed, with `stream_options.include_usage` set and every other byte as it was. */
export function spliceUsage(text: string, body: JsonObject): string {
  const { stream_options: options } = body
  if (options === undefined) {
    const end = text.lastIndexOf('}')
    return `${text.slice(0, end)},"stream_options":{"include_usage":true}${text.slice(end)}`
  }
  const kept = isJsonObject(options) ? options : {}
  return JSON.stringify({ ...JSON.parse(text), stream_options: { ...kept, include_usage: true } })
}
