import type { CommandContext } from '../../context.ts'
import { makeHarmless } from '../../terminal/excerpt.ts'
import { type Column, formatTime, printFacts } from '../../terminal/print.ts'
import { formatBytes } from '../../terminal/units.ts'
import type { DataClient } from '../data-client.ts'

/** A file as the data plane shows it; times are unix seconds. */
export type FileItem = {
  readonly id: string
  readonly filename: string
  readonly purpose: string
  readonly bytes: number
  readonly status: string
  readonly created_at: number
  readonly expires_at?: number | null
}

export const fileColumns: readonly Column<FileItem>[] = [
  { title: 'id', read: (file) => file.id },
  { title: 'filename', read: (file) => makeHarmless(file.filename) },
  { title: 'purpose', read: (file) => file.purpose },
  { title: 'size', read: (file) => formatBytes(file.bytes) },
  { title: 'created', read: (file) => formatUnix(file.created_at) },
  { title: 'expires', read: (file) => formatUnix(file.expires_at), isOptional: true },
]

export function showFile(context: CommandContext, file: FileItem): Promise<void> {
  return printFacts(context, file, [
    ['Id', file.id],
    ['Filename', makeHarmless(file.filename)],
    ['Purpose', file.purpose],
    ['Size', `${formatBytes(file.bytes)} (${file.bytes})`],
    ['Status', file.status],
    ['Created', formatUnix(file.created_at)],
    ...(file.expires_at ? [['Expires', formatUnix(file.expires_at)] as const] : []),
  ])
}

/** Local time of unix seconds; empty where there are none. */
export function formatUnix(seconds: number | null | undefined): string {
  return seconds ? formatTime(new Date(seconds * 1000).toISOString()) : ''
}

type Page<T> = { readonly data: readonly T[]; readonly has_more: boolean }

/** The newest items of a list, as many as are wanted, page by page. */
export async function listItems<T extends { readonly id: string }>(
  client: DataClient,
  path: string,
  query: Readonly<Record<string, string>>,
  { wanted, pageSize }: { readonly wanted: number; readonly pageSize: number },
): Promise<{ readonly items: T[]; readonly hasMore: boolean }> {
  const items: T[] = []
  for (;;) {
    const after = items.at(-1)?.id
    const limit = Math.min(pageSize, wanted - items.length)
    const asked = new URLSearchParams({ ...query, limit: String(limit), ...(after !== undefined && { after }) })
    const { data, has_more: hasMore } = await client.call<Page<T>>(`${path}?${asked}`)
    items.push(...data)
    if (!hasMore || data.length === 0 || items.length >= wanted) return { items, hasMore }
  }
}
