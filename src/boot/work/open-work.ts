import { hostname } from 'node:os'
import type { Deployment } from '../../core/deployment.ts'
import type { Caller } from '../../core/exchange.ts'
import type { ServiceRoute } from '../../core/service-route.ts'
import type { KeyRing } from '../../policy/authenticate.ts'
import { mayUse } from '../../policy/authorize.ts'
import type { Pipeline } from '../../policy/pipeline.ts'
import type { Blobs } from '../../port/blobs/port.ts'
import type { Tables } from '../../port/tables/port.ts'
import { openBatches } from '../../service/batches/open.ts'
import type { BatchSettings } from '../../service/batches/settings.ts'
import { createBatchStreams } from '../../service/events/batch-streams.ts'
import { createWebhooks, type WebhooksParts } from '../../service/events/webhooks/open.ts'
import { openFiles } from '../../service/files/open.ts'
import { ownerOf } from '../../service/stored-completions/owner.ts'
import { startWorker, type Worker } from '../../service/worker/worker.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { LiveLoad } from './live-load.ts'
import { createRunLine } from './run-line.ts'

export type WorkParts = {
  readonly tables: Tables
  readonly blobs: Blobs
  /** That of callers, but for what is theirs alone. */
  readonly pipeline: Pipeline
  readonly load: LiveLoad
  readonly keys: () => KeyRing
  find(name: string): Deployment | undefined
  readonly settings: Partial<BatchSettings>
  readonly webhooks: Pick<WebhooksParts, 'list' | 'readSecret' | 'openTransport'>
  readonly log: Logger
}

/** Files, batches, and the worker that does what takes long. */
export type Work = {
  readonly routes: readonly ServiceRoute[]
  /** Begins with the work that is due. */
  start(): void
  /** Ends answers that would go on for as long as a batch does, before the others are waited for. */
  endStreams(): void
  close(): Promise<void>
}

export function openWork(parts: WorkParts): Work {
  const { tables, blobs, pipeline, load, keys, find, settings, log } = parts
  const now = Date.now
  let worker: Worker | undefined
  /** Secrets come and go; whoever owns a batch is found by the name of the key. */
  const findCaller = (owner: string): Caller | undefined => {
    for (const known of keys().values()) {
      if (ownerOf(known) === owner && (known.expiresAt === undefined || known.expiresAt > now())) return known
    }
    return undefined
  }
  const files = openFiles({ table: tables.files, blobs, now, log })
  const nudge = (): void => worker?.nudge()
  const webhooks = createWebhooks({ ...parts.webhooks, jobs: tables.jobs, nudge, now, log })
  const streams = createBatchStreams({ table: tables.batches, now })
  const batches = openBatches({
    table: tables.batches,
    jobs: tables.jobs,
    files: files.store,
    runLine: createRunLine({ pipeline, find, findCaller, now }),
    findDeployment(name, owner) {
      const deployment = find(name)
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
    start() {
      worker ??= startWorker({
        jobs: tables.jobs,
        handlers: { ...files.handlers, ...batches.handlers, ...webhooks.handlers },
        owner: `${hostname()}/${process.pid}`,
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
