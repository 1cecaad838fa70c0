import { makeResourceSpec } from '../../snapshot/resources/resource-spec.ts'
import { emptySnapshot } from '../../snapshot/snapshot.ts'
import type { RoutesOptions } from '../routes.ts'
import type { Account, Accounts } from './accounts.ts'

/** For tests: a server that has its own resource only, of that name. */
export function makeOwnAccounts(name: string, routes: RoutesOptions): Accounts {
  const own: Account = {
    id: '',
    spec: makeResourceSpec(name),
    source: { kind: 'stored' },
    etag: 'first',
    createdAt: 0,
    updatedAt: 0,
    isDefault: true,
    routes,
    current: () => emptySnapshot,
  }
  const refuse = () => Promise.reject(new Error('resources do not change here'))
  return {
    list: () => [own],
    find: (wanted) => (wanted.toLowerCase() === name.toLowerCase() ? own : undefined),
    own: () => own,
    put: refuse,
    check: () => {},
    remove: refuse,
    requireWritable: () => {},
    requireRemovable: () => {},
    listDeleted: () => [],
    findDeleted: () => undefined,
    restore: refuse,
    requireRestorable: refuse,
    purge: refuse,
  }
}
