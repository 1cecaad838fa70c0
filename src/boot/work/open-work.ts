import { hostname } from 'node:os'
import type { Deployment } from '../../core/deployment.ts'
import type { Caller } from '../../core/exchange.ts'
import { type ResourceId, resourceOf } from '../../core/resource.ts'
import type { ServiceRoute } from '../../core/service-route.ts'
import type { RecordListener } from '../../core/usage/request-record.ts'
import { mayUse } from '../../policy/access/authorize.ts'
import type { Pipeline } from '../../policy/pipeline.ts'
import type { Blobs } from '../../port/blobs/port.ts'
import type { Tables } from '../../port/tables/port.ts'
import { openBatches } from '../../service/batches/open.ts'
import type { BatchSettings } from '../../service/batches/settings.ts'
import { createBatchStreams } from '../../service/events/batch-streams.ts'
import { createWebhooks, type Webhooks, type WebhooksParts } from '../../service/events/webhooks/open.ts'
import { openFiles } from '../../service/files/open.ts'
import { createUsageChores, type UsageChoresParts } from '../../service/usage/chores.ts'
import { startWorker, type Worker } from '../../service/worker/worker.ts'
import { findDeployment, type Snapshot } from '../../snapshot/snapshot.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { nodeIdOf } from '../folder/node-id.ts'
import { createFindOwner } from './find-owner.ts'
import type { LiveLoad } from './live-load.ts'
import { createNativeLines, type NativeLinesParts } from './native-lines.ts'
import { createRunLine } from './run-line.ts'

export type WorkParts = {
  readonly tables: Tables
  /** Whether other servers work on these tables too. */
  readonly isShared: boolean
  readonly dataFolder: string
  readonly blobs: Blobs
  /** That of callers, but for what is theirs alone. */
  readonly pipeline: Pipeline
  /** The parts of it for lines that go upstream in batches. */
  /** Told of lines that are refused before it is known which deployment they are for. */
  readonly onRefused: RecordListener
  readonly native: Pick<NativeLinesParts, 'before' | 'after' | 'listeners'>
  readonly load: LiveLoad
  /** What the data plane has of a resource; undefined when it is not reachable. */
  snapshotOf(resource: ResourceId): Snapshot | undefined
  /** Whom a token named some time ago, with the roles that he has now; undefined when nothing is known of him any more. */
  recallCaller(owner: string, resource: ResourceId): Caller | undefined
  readonly settings: Partial<BatchSettings>
  readonly webhooks: Pick<WebhooksParts, 'list' | 'readSecret' | 'openTransport'>
  readonly usage: Pick<UsageChoresParts, 'hourlyDays' | 'days'>
  readonly log: Logger
}

/** Files, batches, and the worker that does what takes long. */
export type Work = {
  readonly routes: readonly ServiceRoute[]
  readonly testWebhook: Webhooks['test']
  /** Begins with the work that is due. */
  start(): void
  /** Ends answers that would go on for as long as a batch does, before the others are waited for. */
  endStreams(): void
  close(): Promise<void>
}

export function openWork(parts: WorkParts): Work {
  const { tables, isShared, blobs, pipeline, load, snapshotOf, settings, log } = parts
  const now = Date.now
  const node = `${nodeIdOf(parts.dataFolder)}/`
  let worker: Worker | undefined
  const findCaller = createFindOwner({ ...parts, now })
  const find = (name: string, owner: string): Deployment | undefined => {
    const snapshot = snapshotOf(resourceOf(owner))
    return snapshot && findDeployment(snapshot, name)
  }
  const files = openFiles({ table: tables.files, blobs, now, log })
  const nudge = (): void => worker?.nudge()
  const webhooks = createWebhooks({ ...parts.webhooks, jobs: tables.jobs, nudge, now, log })
  const usageChores = createUsageChores({ ...parts.usage, table: tables.usage, now, log })
  const streams = createBatchStreams({ table: tables.batches, now })
  const batches = openBatches({
    table: tables.batches,
    jobs: tables.jobs,
    files: files.store,
    runLine: createRunLine({ pipeline, find, findCaller, onRefused: parts.onRefused, now }),
    native: createNativeLines({ ...parts.native, find, findCaller, now }),
    findDeployment(name, owner) {
      const deployment = find(name, owner)
      const caller = findCaller(owner)
      return deployment && caller && mayUse(caller, deployment.name) ? deployment : undefined
    },
    load: load.count,
    onEnd: webhooks.announceEnd,
    nudge,
    settings,
    now,
    log,
  })
  return {
    routes: [...files.routes, ...batches.routes, ...streams.routes],
    testWebhook: webhooks.test,
    start() {
      worker ??= startWorker({
        jobs: tables.jobs,
        handlers: { ...files.handlers, ...batches.handlers, ...webhooks.handlers, ...usageChores },
        owner: `${node}${hostname()}/${process.pid}`,
        // The folder is locked: whoever had a job before on this folder, or on tables that nobody else has, is dead.
        formerOwners: isShared ? node : '',
        now,
        log,
      })
    },
    endStreams: () => streams.close(),
    async close() {
      await worker?.stop()
      webhooks.close()
      await blobs.close()
    },
  }
}
