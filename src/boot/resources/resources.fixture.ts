import type { Accounts } from '../../control/resources/accounts.ts'
import type { RoutesOptions } from '../../control/routes.ts'
import { createSealer, type Sealer } from '../../core/access/seal.ts'
import { openSqliteTables } from '../../port/tables/adapters/sqlite/open-sqlite-tables.ts'
import type { Tables } from '../../port/tables/port.ts'
import { createAccounts } from './accounts.ts'
import type { LiveResource } from './live-resource.ts'
import { type LiveResources, openLiveResources } from './live-resources.ts'

/** For tests: the resources of a server, on a database of their own or one that others have too. */
export type ResourcesFixture = {
  readonly tables: Tables
  readonly live: LiveResources
  readonly accounts: Accounts
  close(): Promise<void>
}

/** `describeRoutes` gives what routes work with; without it they know of the resource and its deployments only. */
export async function openResources(
  file: string,
  describeRoutes: (resource: LiveResource, live: LiveResources) => RoutesOptions = ({ id, state }) =>
    ({ resource: id, state }) as unknown as RoutesOptions,
): Promise<ResourcesFixture> {
  const sealer = createSealer(new Uint8Array(32))
  const tables = await openSqliteTables(file)
  if (!(await tables.getResource())) await tables.putResource({ name: 'Mine', createdAt: 1 })
  const live = await openBareResources(tables, sealer)
  const accounts = createAccounts({
    resources: live,
    tables,
    sealer,
    now: Date.now,
    describeRoutes: (resource) => describeRoutes(resource, live),
  })
  return {
    tables,
    live,
    accounts,
    async close() {
      live.close()
      await tables.close()
    },
  }
}

/** What there is in the tables and in the configuration file, compiled, with nothing that is called. */
export function openBareResources(
  tables: Tables,
  sealer: Sealer,
  more: Partial<Parameters<typeof openLiveResources>[0]> = {},
): Promise<LiveResources> {
  return openLiveResources({
    tables,
    sealer,
    builtins: { models: [], find: () => undefined, stop: async () => {} },
    config: undefined,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    readSecret: () => undefined,
    openTransport: () => ({ request: () => Promise.reject(new Error('nothing is asked')), close: () => {} }),
    filterParts: () => ({
      detector: {
        label: 'builtin/test',
        screen: { find: () => [], open: () => ({ feed: () => [], end: () => [], settled: 0 }) },
        analyse: () => [],
      },
      readCredential: () => undefined,
      openEngine: () => {
        throw new Error('no engine here')
      },
      indexProtected: () => ({ find: () => [] }),
    }),
    defaultPolicy: 'Microsoft.DefaultV2',
    ...more,
  })
}
