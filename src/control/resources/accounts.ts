import type { ResourceId, ResourceSpec } from '../../core/resource.ts'
import type { DeploymentSource } from '../../snapshot/desired-state.ts'
import type { Snapshot } from '../../snapshot/snapshot.ts'
import type { RoutesOptions } from '../routes.ts'

/** A resource and what is known of it. Immutable: a change makes another one. */
export type ResourceRecord = {
  readonly id: ResourceId
  readonly spec: ResourceSpec
  /** Made by API or CLI, or declared in the configuration file (then read-only here). */
  readonly source: DeploymentSource
  /** Changes with every write. */
  readonly etag: string
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
  /** Whether it is the server's own, which cannot be deleted and whose name is that of `--name`. */
  readonly isDefault: boolean
}

/** A resource that is reachable, with what belongs to it. */
export type Account = ResourceRecord & {
  /** Its deployments, keys, filters and what is needed to manage them: `listRoutes(account.routes)` are its routes. Stays while it is open. */
  readonly routes: RoutesOptions
  /** What the data plane has of it now. */
  current(): Snapshot
}

/** Unreachable, but all that belongs to it is kept until it is purged. Its quota is free. */
export type DeletedAccount = ResourceRecord & {
  /** Unix milliseconds. */
  readonly deletedAt: number
}

/** The resources of the server. Names match without regard to case. Writes run one after the other, with those of deployments. */
export type Accounts = {
  /** Ordered by name, the server's own among them. */
  list(): readonly Account[]
  find(name: string): Account | undefined
  /** That of the server itself. */
  own(): Account
  /**
   * Creates or changes a resource. `edit` gets what is there and gives what shall be; what it throws refuses the write. Rejects with Fault
   * `conflict` for what the file declares, for a name or subdomain that another has, and (`FlagMustBeSetForRestore`) for a deleted name.
   */
  put(
    name: string,
    edit: (current: Account | undefined) => ResourceSpec,
  ): Promise<{ readonly account: Account; readonly isNew: boolean }>
  /** What `put` would refuse of a spec in the place of what is there, without writing it. */
  check(spec: ResourceSpec): void
  /**
   * Deletes it softly; resolves to whether it was there. `check` may refuse by throwing. Rejects with Fault `conflict` for the server's own
   * and for what the file declares.
   */
  remove(name: string, check?: (current: Account | undefined) => void): Promise<boolean>
  /** Throws Fault `conflict` for what the file declares: it can only be changed there. */
  requireWritable(name: string): void
  /** Throws as `remove` would refuse. */
  requireRemovable(name: string): void
  /** Ordered by name. */
  listDeleted(): readonly DeletedAccount[]
  findDeleted(name: string): DeletedAccount | undefined
  /**
   * Brings a deleted one back, with keys, deployments and filters as they were; undefined when there is none. Rejects with Fault
   * `insufficient-quota` where its deployments no longer fit into the quota pools.
   */
  restore(name: string, check?: (deleted: DeletedAccount | undefined) => void): Promise<Account | undefined>
  /** Rejects as `restore` would. */
  requireRestorable(name: string): Promise<void>
  /** Deletes a deleted one for good, with all that belongs to it; resolves to whether there was one. */
  purge(name: string, check?: (deleted: DeletedAccount | undefined) => void): Promise<boolean>
}
