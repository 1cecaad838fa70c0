import { join } from 'node:path'
import { createFilterEngine, type EngineDeps } from '../../backend/guards/create-engine.ts'
import { decodeCl100k } from '../../backend/tokens/decode-cl100k.ts'
import type { Transport } from '../../backend/transport/transport.ts'
import type { Sealer } from '../../core/access/seal.ts'
import type { FilterEngine } from '../../core/filter/engine.ts'
import type { ResourceId } from '../../core/resource.ts'
import type { Detector } from '../../policy/filter/builtin/detector.ts'
import { detectorLabel, loadDetector } from '../../policy/filter/builtin/load-detector.ts'
import { createProtectedIndex } from '../../policy/filter/builtin/protected-index.ts'
import { createFilterPolicy } from '../../policy/filter/filter-policy.ts'
import { createBreaker } from '../../policy/filter/remote/breaker.ts'
import type { RemoteParts } from '../../policy/filter/remote/judge-remotely.ts'
import { createVerdictCache } from '../../policy/filter/remote/verdict-cache.ts'
import type { Policy } from '../../policy/pipeline.ts'
import type { PlanCompilerParts } from '../../snapshot/filter/compile-plan.ts'
import { createEngineCredentialReader } from '../../snapshot/filter/engine-credential.ts'
import type { Filters } from '../../snapshot/filter/filters.ts'
import type { Logger } from '../../telemetry/logger.ts'

type ReadSecret = (name: string) => string | undefined

/** Rules and heads of the builtin detector. */
const safetyFolder = join(import.meta.dir, '..', '..', '..', 'models', 'safety')
const loadAfterMs = 500
/** About 200 octets each. */
const keptVerdicts = 20_000

export type FilterDeps = Pick<EngineDeps, 'openTransport'> & {
  /** As that of `EngineDeps`, of the deployments of a resource. */
  askDeployment(
    resource: ResourceId,
    ...question: Parameters<EngineDeps['askDeployment']>
  ): ReturnType<EngineDeps['askDeployment']>
}

/** What plans of a resource are compiled with: the builtin detector, loaded once for all, and engines that are asked over the network. */
export function openFilterParts(
  deps: FilterDeps,
  sealer: Sealer,
  readSecret: ReadSecret,
): (resource: ResourceId, checkHost: (host: string) => void) => PlanCompilerParts {
  const shared = {
    readCredential: createEngineCredentialReader(sealer, readSecret),
    detector: loadLater(() => loadDetector(safetyFolder)),
    indexProtected: createProtectedIndex,
  }
  return (resource, checkHost) => ({
    ...shared,
    scope: resource || undefined,
    openEngine(spec) {
      const opened: Transport[] = []
      const engine = createFilterEngine(spec, {
        askDeployment: (...question) => deps.askDeployment(resource, ...question),
        openTransport(origin, timeouts) {
          const transport = deps.openTransport(origin, timeouts)
          opened.push(transport)
          // Asked each time: what a resource may call changes while its engines are open.
          const request: Transport['request'] = async (...asked) => {
            checkHost(origin.hostname)
            return transport.request(...asked)
          }
          return { ...transport, request }
        },
      })
      return {
        engine,
        close() {
          for (const transport of opened) transport.close()
        },
      }
    },
  })
}

/** A start does not wait for its rules: they are read when it has a moment, or by the first call that comes before. */
function loadLater(load: () => Detector): Detector {
  let loaded: Detector | undefined
  const detector = (): Detector => {
    loaded ??= load()
    return loaded
  }
  setTimeout(detector, loadAfterMs).unref()
  return {
    label: detectorLabel,
    get screen() {
      return detector().screen
    },
    analyse: (text, question) => detector().analyse(text, question),
  }
}

/** What asking engines needs beside the plan: shared by calls, the management API and services. */
export function openRemoteParts(log: Logger): RemoteParts {
  return {
    breaker: createBreaker(Date.now),
    cache: createVerdictCache(keptVerdicts),
    onFailure: (engine: FilterEngine, reason) =>
      log.warn({ engine: engine.name, kind: engine.label }, `a filter engine could not judge: ${reason}`),
  }
}

/** The content filter of calls. The log gets what was found and by what, never a text. */
export function openFilterPolicy(
  filters: (resource: ResourceId | undefined) => Filters,
  remote: RemoteParts,
  log: Logger,
): Policy {
  return createFilterPolicy({
    findPlan: (name, resource) => filters(resource).find(name),
    remote,
    decodeTokens: decodeCl100k,
    onFinding({ id, caller, deployment }, wasFiltered, explanations) {
      const fields = { requestId: id, key: caller.keyName, deployment: deployment.name, explanations }
      log[wasFiltered ? 'info' : 'debug'](fields, wasFiltered ? 'content was kept back' : 'content was annotated')
    },
  })
}
