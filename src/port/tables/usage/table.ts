import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely'
import type { ResourceId } from '../../../core/resource.ts'
import type { Schema } from '../schema.ts'
import type { UsageCounts, UsageGroup, UsageQuery, UsageRow, UsageStore, UsageTotals } from './port.ts'

export type UsageSchema = {
  usage_hour: {
    hour: number
    resource: ResourceId
    deployment: string
    model: string
    key_name: string
    requests: number
    failed: number
    refused: number
    estimated: number
    prompt_tokens: number
    cached_tokens: number
    completion_tokens: number
    reasoning_tokens: number
    cost_micros: number
  }
}

const countColumns = {
  requests: 'requests',
  failed: 'failed',
  refused: 'refused',
  estimated: 'estimated',
  promptTokens: 'prompt_tokens',
  cachedTokens: 'cached_tokens',
  completionTokens: 'completion_tokens',
  reasoningTokens: 'reasoning_tokens',
  costMicros: 'cost_micros',
} as const satisfies Record<keyof UsageCounts, keyof UsageSchema['usage_hour']>

/** Both databases divide whole numbers to whole numbers. */
const groupExpressions: Readonly<Record<UsageGroup, RawBuilder<number | string>>> = {
  hour: sql<number>`hour`,
  day: sql<number>`hour / 24`,
  resource: sql<string>`resource`,
  deployment: sql<string>`deployment`,
  model: sql<string>`model`,
  keyName: sql<string>`key_name`,
}

const counts = Object.entries(countColumns) as [keyof UsageCounts, (typeof countColumns)[keyof UsageCounts]][]
/** Databases bound the parameters of a statement; SQLite's oldest limit is 999. */
const rowsPerStatement = 65

/** Runs a statement; the adapter turns its database's failures into Faults. */
type Attempt = <T>(statement: Promise<T>) => Promise<T>

/** In SQL that SQLite and PostgreSQL share. */
export function createUsageTable(db: Kysely<Schema>, attempt: Attempt): UsageStore {
  return {
    async add(rows) {
      if (rows.length === 0) return
      // In one order for all servers: in two, each could wait for a row that the other one has.
      await attempt(db.transaction().execute((transaction) => addRows(transaction, rows.map(writeRow))))
    },

    async read({ fromHour, toHour, resource, deployment, keyName, groupBy, limit }) {
      let query = db
        .selectFrom('usage_hour')
        .select(groupBy.map((group) => groupExpressions[group].as(aliasOf(group))))
        .select(({ fn }) => counts.map(([, column]) => fn.sum<number>(column).as(column)))
        .where('hour', '>=', fromHour)
        .where('hour', '<', toHour)
      if (resource !== undefined) query = query.where('resource', '=', resource)
      if (deployment !== undefined) query = query.where(sql`lower(deployment)`, '=', deployment.toLowerCase())
      if (keyName !== undefined) query = query.where(sql`lower(key_name)`, '=', keyName.toLowerCase())
      for (const group of groupBy) query = query.groupBy(groupExpressions[group]).orderBy(groupExpressions[group])
      if (limit !== undefined) query = query.limit(limit)
      const rows = (await attempt(query.execute())) as Readonly<Record<string, string | number | null>>[]
      // Without groups a sum over nothing is one row of nulls.
      return rows.filter((row) => row.requests !== null).map((row) => readTotals(row, groupBy))
    },

    async rollUp(beforeHour, mostHours) {
      // Whole days only: an hour of a day whose others stay would stand for more than it says.
      const before = beforeHour - (beforeHour % hoursPerDay)
      const hours = await attempt(
        listHours(db, before, mostHours)
          .where(sql`hour % ${sql.lit(hoursPerDay)}`, '<>', sql.lit(0))
          .execute(),
      )
      for (const { hour } of hours)
        await attempt(db.transaction().execute((transaction) => moveHour(transaction, Number(hour))))
      return hours.length
    },

    async drop(beforeHour, mostHours) {
      const hours = await attempt(listHours(db, beforeHour, mostHours).execute())
      for (const { hour } of hours) await attempt(db.deleteFrom('usage_hour').where('hour', '=', hour).execute())
      return hours.length
    },
  }
}

const hoursPerDay = 24

function listHours(db: Kysely<Schema>, before: number, most: number) {
  return db.selectFrom('usage_hour').select('hour').distinct().where('hour', '<', before).orderBy('hour').limit(most)
}

/** What is taken out is what is added, so that of two servers who do this at once one finds nothing. */
async function moveHour(db: Transaction<Schema>, hour: number): Promise<void> {
  const rows = await db.deleteFrom('usage_hour').where('hour', '=', hour).returningAll().execute()
  const first = hour - (hour % hoursPerDay)
  await addRows(
    db,
    rows.map((row) => ({ ...row, hour: first })),
  )
}

async function addRows(db: Transaction<Schema>, rows: readonly UsageSchema['usage_hour'][]): Promise<void> {
  // In one order for all servers: in two, each could wait for a row that the other one has.
  const values = rows.toSorted(compareKeys)
  for (let at = 0; at < values.length; at += rowsPerStatement) {
    await db
      .insertInto('usage_hour')
      .values(values.slice(at, at + rowsPerStatement))
      .onConflict((conflict) =>
        conflict
          .columns(['hour', 'resource', 'deployment', 'model', 'key_name'])
          .doUpdateSet((row) =>
            Object.fromEntries(
              counts.map(([, column]) => [
                column,
                sql<number>`${row.ref(`usage_hour.${column}`)} + ${row.ref(`excluded.${column}`)}`,
              ]),
            ),
          ),
      )
      .execute()
  }
}

function aliasOf(group: UsageGroup): `by_${UsageGroup}` {
  return `by_${group}`
}

function writeRow(row: UsageRow): UsageSchema['usage_hour'] {
  const { hour, resource, deployment, model, keyName } = row
  const columns = Object.fromEntries(counts.map(([name, column]) => [column, row[name]]))
  return { hour, resource, deployment, model, key_name: keyName, ...columns } as UsageSchema['usage_hour']
}

function compareKeys(a: UsageSchema['usage_hour'], b: UsageSchema['usage_hour']): number {
  const [first, second] = [a, b].map(({ hour, ...row }) =>
    JSON.stringify([hour, row.resource, row.deployment, row.model, row.key_name]),
  )
  return (first as string) < (second as string) ? -1 : 1
}

/** Sums come as text from a database whose numbers are larger than ours. */
function readTotals(
  row: Readonly<Record<string, string | number | null>>,
  groupBy: UsageQuery['groupBy'],
): UsageTotals {
  const sums = Object.fromEntries(counts.map(([name, column]) => [name, Number(row[column])]))
  const groups = Object.fromEntries(
    groupBy.map((group) => {
      const value = row[aliasOf(group)]
      return [group, group === 'hour' || group === 'day' ? Number(value) : value]
    }),
  )
  return { ...groups, ...sums } as UsageTotals
}
