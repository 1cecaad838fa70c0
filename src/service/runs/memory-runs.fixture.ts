import type { Job, Jobs } from '../../port/jobs/port.ts'
import {
  type AssistantRow,
  activeStatuses,
  type ItemPage,
  type ItemRow,
  type RunEventRow,
  type RunRow,
  type RunsTable,
  type ThreadRow,
} from '../../port/tables/runs/port.ts'

type JobRow = { kind: string; id: string; owner: string | undefined; attempt: number; dueAt: number; isWoken: boolean }

/** The tables of runs and jobs in memory, for tests of what is built on them. Rows are copied, as a database would. */
export function createMemoryRuns(now: () => number): {
  readonly table: RunsTable
  readonly jobs: Jobs
  readonly rows: MemoryRows
} {
  const assistants = new Map<string, AssistantRow>()
  const threads = new Map<string, ThreadRow>()
  const items = new Map<string, ItemRow>()
  const runs = new Map<string, RunRow>()
  const events = new Map<string, RunEventRow[]>()
  const held = new Map<string, JobRow>()
  let takings = 0

  const copy = <T>(value: T): T => structuredClone(value)
  const order = (id: string): string => id.slice(id.indexOf('_') + 1)
  function page<T extends { readonly id: string }>(
    rows: readonly T[],
    { limit, order: direction, after, before }: ItemPage,
  ): T[] {
    const sign = direction === 'asc' ? 1 : -1
    const compare = (a: string, b: string): number => sign * (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : 0)
    return rows
      .filter(
        ({ id }) =>
          (after === undefined || compare(id, after) > 0) && (before === undefined || compare(id, before) < 0),
      )
      .toSorted((a, b) => compare(a.id, b.id))
      .slice(0, limit + 1)
      .map(copy)
  }
  const activeOf = (threadId: string | undefined): string | undefined =>
    threadId === undefined
      ? undefined
      : [...runs.values()].find((run) => run.threadId === threadId && activeStatuses.includes(run.status))?.id
  function append(runId: string, more: readonly RunEventRow[] = []): void {
    const known = events.get(runId) ?? []
    for (const event of more) {
      if (known.some(({ seq }) => seq === event.seq)) throw new Error(`event ${event.seq} of ${runId} is there already`)
      known.push({ ...event })
    }
    events.set(
      runId,
      known.toSorted((a, b) => a.seq - b.seq),
    )
  }
  const keyOf = ({ kind, id }: { kind: string; id: string }): string => `${kind} ${id}`
  function addJob(kind: string, id: string, runAt: number): boolean {
    const known = held.get(keyOf({ kind, id }))
    if (known) return false
    held.set(keyOf({ kind, id }), { kind, id, owner: undefined, attempt: 0, dueAt: runAt, isWoken: false })
    return true
  }
  function wake(kind: string, id: string): void {
    const job = held.get(keyOf({ kind, id }))
    if (!job) return
    if (job.owner === undefined) job.dueAt = Math.min(job.dueAt, now())
    else job.isWoken = true
  }
  const holds = (job: Job): JobRow | undefined => {
    const row = held.get(keyOf(job))
    return row?.owner === job.owner && row.attempt === job.attempt ? row : undefined
  }
  const owned = <T extends { readonly owner: string }>(row: T | undefined, owner: string): T | undefined =>
    row?.owner === owner ? copy(row) : undefined

  const table: RunsTable = {
    async addAssistant(row) {
      assistants.set(row.id, copy(row))
    },
    async getAssistant(owner, id) {
      return owned(assistants.get(id), owner)
    },
    async listAssistants(owner, asked) {
      return page(
        [...assistants.values()].filter((row) => row.owner === owner),
        asked,
      )
    },
    async putAssistant(owner, id, document) {
      const row = owned(assistants.get(id), owner)
      if (row) assistants.set(id, { ...row, document: copy(document) })
      return row !== undefined
    },
    async deleteAssistant(owner, id) {
      return owned(assistants.get(id), owner) !== undefined && assistants.delete(id)
    },
    async addThread(row, first) {
      threads.set(row.id, copy(row))
      for (const item of first) items.set(item.id, copy(item))
    },
    async getThread(owner, id) {
      return owned(threads.get(id), owner)
    },
    async updateThread(owner, id, change) {
      const row = owned(threads.get(id), owner)
      if (row) threads.set(id, { ...row, ...copy(change) })
      return row !== undefined
    },
    async deleteThread(owner, id) {
      if (!owned(threads.get(id), owner)) return false
      threads.delete(id)
      for (const item of [...items.values()]) if (item.homeId === id) items.delete(item.id)
      for (const run of [...runs.values()]) if (run.threadId === id) runs.delete(run.id)
      return true
    },
    async addItems(more, { unlessActive } = {}) {
      const active = activeOf(unlessActive)
      if (active === undefined) for (const item of more) items.set(item.id, copy(item))
      return active
    },
    async getItem(owner, id) {
      return owned(items.get(id), owner)
    },
    async findItems(owner, ids) {
      return ids.flatMap((id) => owned(items.get(id), owner) ?? [])
    },
    async listItems(owner, { homeId, runId, isInput, types }, asked) {
      const found = [...items.values()].filter(
        (row) =>
          row.owner === owner &&
          (homeId === undefined || row.homeId === homeId) &&
          (runId === undefined || row.runId === runId) &&
          (isInput === undefined || row.isInput === isInput) &&
          (types === undefined || types.includes(row.type)),
      )
      return page(found, asked)
    },
    async updateItem(owner, id, change) {
      const row = owned(items.get(id), owner)
      if (row) items.set(id, { ...row, ...copy(change) })
      return row !== undefined
    },
    async deleteItem(owner, id) {
      return owned(items.get(id), owner) !== undefined && items.delete(id)
    },
    async addRun(run, given, first, job) {
      const active = activeOf(run.threadId)
      if (active !== undefined) return active
      runs.set(run.id, copy(run))
      for (const item of given) items.set(item.id, copy(item))
      append(run.id, first)
      if (job) addJob(job.kind, run.id, job.runAt)
      return undefined
    },
    async getRun(owner, id) {
      return owned(runs.get(id), owner)
    },
    async findRun(id) {
      return copy(runs.get(id))
    },
    async listRuns(owner, threadId, asked) {
      return page(
        [...runs.values()].filter((run) => run.owner === owner && run.threadId === threadId),
        asked,
      )
    },
    async updateRun(owner, id, from, change, more = {}) {
      const run = owned(runs.get(id), owner)
      if (!run || !from.includes(run.status)) return false
      runs.set(id, { ...run, ...copy(change) })
      for (const item of more.items ?? []) items.set(item.id, copy(item))
      append(id, more.events)
      if (more.job && !addJob(more.job.kind, id, more.job.runAt)) wake(more.job.kind, id)
      return true
    },
    async writeRun(job, id, { change, items: more = [], events: told, from }) {
      const run = runs.get(id)
      if (!run || !holds(job) || (from && !from.includes(run.status))) return false
      if (change) runs.set(id, { ...run, ...copy(change) })
      for (const item of more) items.set(item.id, copy(item))
      append(id, told)
      return true
    },
    async deleteRun(owner, id) {
      if (!owned(runs.get(id), owner)) return false
      events.delete(id)
      return runs.delete(id)
    },
    async listEvents(runId, after, limit) {
      return (events.get(runId) ?? []).filter(({ seq }) => seq > after).slice(0, limit)
    },
    async listExpired(time, limit) {
      return [...runs.values()]
        .filter(
          ({ status, expiresAt }) => status === 'requires_action' && (expiresAt ?? Number.POSITIVE_INFINITY) <= time,
        )
        .slice(0, limit)
        .map(({ id, owner }) => ({ id, owner }))
    },
    async sweep() {
      return 0
    },
  }

  const jobs: Jobs = {
    async add({ kind, id, runAt }) {
      return addJob(kind, id, runAt)
    },
    async claim(kinds, owner, leaseMs) {
      const row = [...held.values()]
        .filter(({ kind, dueAt }) => kinds.includes(kind) && dueAt <= now())
        .toSorted((a, b) => a.dueAt - b.dueAt)[0]
      if (!row) return undefined
      Object.assign(row, {
        owner: `${owner}#${takings++}`,
        attempt: row.attempt + 1,
        dueAt: now() + leaseMs,
        isWoken: false,
      })
      return { kind: row.kind, id: row.id, state: {}, owner: row.owner as string, attempt: row.attempt }
    },
    async renew(job, leaseMs) {
      const row = holds(job)
      if (row) row.dueAt = now() + leaseMs
      return row !== undefined
    },
    async note(job) {
      return holds(job) !== undefined
    },
    async release(job, _, runAt) {
      const row = holds(job)
      if (row) Object.assign(row, { owner: undefined, dueAt: row.isWoken ? now() : runAt, isWoken: false })
      return row !== undefined
    },
    async finish(job) {
      const row = holds(job)
      if (row?.isWoken) Object.assign(row, { owner: undefined, dueAt: now(), isWoken: false })
      else if (row) held.delete(keyOf(row))
      return row !== undefined
    },
    async releaseOf(owners) {
      const rows = [...held.values()].filter(({ owner }) => owner?.startsWith(owners))
      for (const row of rows) Object.assign(row, { owner: undefined, dueAt: now() })
      return rows.length
    },
    async wake(kind, id) {
      wake(kind, id)
    },
    async nextDueAt(kinds) {
      const dues = [...held.values()].filter(({ kind }) => kinds.includes(kind)).map(({ dueAt }) => dueAt)
      return dues.length > 0 ? Math.min(...dues) : undefined
    },
  }
  return { table, jobs, rows: { items, runs, events, jobs: held } }
}

export type MemoryRows = {
  readonly items: ReadonlyMap<string, ItemRow>
  readonly runs: ReadonlyMap<string, RunRow>
  readonly events: ReadonlyMap<string, readonly RunEventRow[]>
  readonly jobs: ReadonlyMap<string, { readonly dueAt: number }>
}
