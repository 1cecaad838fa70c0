import type { JsonObject } from '../json.ts'

/** Newer than TypeScript's types of it. */
type ExactJson = {
  parse(text: string, revive: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown
  rawJSON(text: string): unknown
}
const exactJson = JSON as unknown as ExactJson

/** The JSON text of an object without the top-level fields `names`. Numbers keep their spelling: some are exact in it only. */
export function dropFields(text: string, names: readonly string[]): string {
  const body = exactJson.parse(text, (_key, value, { source }) =>
    typeof value === 'number' ? exactJson.rawJSON(source as string) : value,
  ) as JsonObject
  for (const name of names) delete body[name]
  return JSON.stringify(body)
}
