import { afterAll, beforeAll } from 'bun:test'
import { type PostgresServer, startPostgresServer, withPostgres } from '../../../test/support/postgres-server.ts'
import { describeRequestsContract } from './contract.ts'
import { startRequestStore } from './thread/start-store.ts'

let server: PostgresServer
let schemas = 0

withPostgres('postgres', () => {
  beforeAll(async () => {
    server = await startPostgresServer()
  }, 60_000)
  afterAll(() => server.stop())

  describeRequestsContract('postgres on a thread', async () => {
    const url = server.url({ schema: `logs_${schemas++}` })
    const open = () => startRequestStore({ kind: 'postgres', url, ca: undefined, node: 'a' })
    let store = open()
    return {
      store,
      async reopen() {
        await store.close()
        store = open()
        return store
      },
      remove: () => store.close(),
    }
  })
})
