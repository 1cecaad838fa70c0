import { afterAll, beforeAll } from 'bun:test'
import { type PostgresServer, startPostgresServer, withPostgres } from '../../../../../test/support/postgres-server.ts'
import { describeTablesContract } from '../../contract.ts'
import { openPostgresTables } from './open-postgres-tables.ts'

let server: PostgresServer
let schemas = 0
const newUrl = () => server.url({ schema: `test_${schemas++}` })

withPostgres('postgres', () => {
  beforeAll(async () => {
    server = await startPostgresServer()
  }, 60_000)
  afterAll(() => server.stop())

  describeTablesContract('postgres', async (now = Date.now) => {
    const url = newUrl()
    let tables = await openPostgresTables({ url, now })
    return {
      tables,
      async reopen() {
        await tables.close()
        tables = await openPostgresTables({ url, now })
        return tables
      },
      remove: () => tables.close(),
    }
  })
})
