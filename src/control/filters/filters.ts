import { engineKinds, guardProfiles } from '../../backend/guards/kinds.ts'
import type { Sealer } from '../../core/access/seal.ts'
import { filterCategories } from '../../core/filter/categories.ts'
import type { JsonObject } from '../../core/json.ts'
import { piiTypes } from '../../policy/filter/pii/pii-types.ts'
import type { DesiredState } from '../../snapshot/desired-state.ts'
import { readBlocklist } from '../../snapshot/filter/blocklist-spec.ts'
import { sealEngineCredential } from '../../snapshot/filter/engine-credential.ts'
import { categoriesOf, type EngineDocument, readEngine } from '../../snapshot/filter/engine-spec.ts'
import type { FiltersState } from '../../snapshot/filter/filters-state.ts'
import {
  combineRules,
  errorRules,
  filterActions,
  filterSources,
  piiActions,
  policyModes,
  severityThresholds,
} from '../../snapshot/filter/policy-spec.ts'
import { builtinCategories, builtinName, readPolicy } from '../../snapshot/filter/read-policy.ts'
import { resolveFilters } from '../../snapshot/filter/resolve-policy.ts'
import { isSystemPolicy } from '../../snapshot/filter/system-policies.ts'
import { readTopic } from '../../snapshot/filter/topic-spec.ts'
import type { EngineProbe, FilterChoices } from '../api.ts'
import type { Answer } from '../http/answer.ts'
import { createCollectionHandlers, type Handler, requireValid } from './collection-handlers.ts'
import { createItems } from './items.ts'
import { engineCredentialRule, keepEngineCredential } from './keep-credential.ts'

export type FiltersOptions = {
  readonly state: DesiredState
  readonly filters: FiltersState
  readonly sealer: Sealer
  /** The value of an environment variable. */
  readSecret(name: string): string | undefined
  /** The content filter policy of deployments that name none. */
  readonly defaultPolicy: string
  /** Has the engine judge a harmless text. Never rejects. */
  probeEngine(engine: EngineDocument): Promise<EngineProbe>
}

/** Content filter policies and what they are made of. */
export function createFilters(options: FiltersOptions) {
  const { state, filters, sealer, readSecret } = options

  const policies = createCollectionHandlers({
    collection: filters.policies,
    noun: 'content filter policy',
    path: 'rai-policies',
    shownFields: ['type', 'effectiveFilters', 'deployments'],
    view(spec, isListed) {
      const { protectedTexts, protectedCode, ...rest } = spec
      return {
        ...rest,
        ...(isListed ? {} : { protectedTexts, protectedCode }),
        type: isSystemPolicy(spec.name) ? 'SystemManaged' : 'UserManaged',
        effectiveFilters: resolveFilters(spec),
        deployments: listDeployments(spec.name),
      }
    },
    accept: (document) => requireValid(readPolicy(document, filters.refs())).spec,
  })
  const blocklists = createCollectionHandlers({
    collection: filters.blocklists,
    noun: 'blocklist',
    path: 'rai-blocklists',
    shownFields: ['itemCount', 'policies'],
    view: ({ items, ...spec }) => ({
      ...spec,
      itemCount: items.length,
      policies: listPolicies(({ customBlocklists }) => customBlocklists.map((list) => list.blocklistName), spec.name),
    }),
    accept: (document, _name, current) => requireValid(readBlocklist(document, current)).spec,
  })
  const topics = createCollectionHandlers({
    collection: filters.topics,
    noun: 'topic',
    path: 'rai-topics',
    shownFields: ['policies'],
    view: (spec) => ({
      ...spec,
      policies: listPolicies(({ customTopics }) => customTopics.map((topic) => topic.topicName), spec.name),
    }),
    accept: (document) => requireValid(readTopic(document)).spec,
  })
  const engines = createCollectionHandlers({
    collection: filters.engines,
    noun: 'filter engine',
    path: 'filter-engines',
    shownFields: ['categories', 'policies'],
    view: ({ credential, ...spec }) => ({
      ...spec,
      ...(credential && { credential: 'env' in credential ? { env: credential.env } : { stored: true } }),
      categories: [...categoriesOf(spec)],
      policies: listPolicies(({ contentFilters }) => contentFilters.flatMap((one) => one.engines ?? []), spec.name),
    }),
    accept: acceptEngine,
  })

  function acceptEngine(document: JsonObject, _name: string, current: EngineDocument | undefined): EngineDocument {
    const { spec } = requireValid(
      readEngine(keepEngineCredential(document, current), {
        readSecret,
        credentialRule: engineCredentialRule,
        deployments: state.list().map((deployment) => deployment.spec.name),
      }),
    )
    const { credential } = spec
    return credential && 'value' in credential
      ? { ...spec, credential: sealEngineCredential(sealer, spec, credential.value) }
      : spec
  }

  /** Names of the deployments that have the policy, also by default. */
  function listDeployments(policy: string): string[] {
    return state
      .list()
      .filter(({ spec }) => isSame(spec.raiPolicyName ?? options.defaultPolicy, policy))
      .map(({ spec }) => spec.name)
  }

  function listPolicies(
    namesIn: (policy: Parameters<typeof resolveFilters>[0]) => readonly string[],
    name: string,
  ): string[] {
    return filters.policies
      .list()
      .filter(({ spec }) => namesIn(spec).some((other) => isSame(other, name)))
      .map(({ spec }) => spec.name)
  }

  const probe: Handler = async (_request, name) => ({
    status: 200,
    body: await options.probeEngine(engines.find(name).spec),
  })

  return {
    policies,
    blocklists,
    topics,
    engines: { ...engines, probe },
    items: createItems(filters.blocklists, blocklists.find),
    choices: (): Answer => ({ status: 200, body: listChoices(filters, options.defaultPolicy) }),
  }
}

/** Everything that may stand in a policy, in one place. */
function listChoices(filters: FiltersState, defaultPolicy: string): FilterChoices {
  const engines = filters.engines.list().map(({ spec }) => spec)
  return {
    categories: Object.entries(filterCategories).map(([name, row]) => ({ name, ...row })),
    sources: filterSources,
    severityThresholds,
    modes: policyModes,
    actions: filterActions,
    combine: combineRules,
    onError: errorRules,
    piiActions,
    piiTypes: Object.entries(piiTypes).map(([type, row]) => ({ type, ...row })),
    engines: [
      { name: builtinName, categories: [...builtinCategories] },
      ...engines.map((engine) => ({ name: engine.name, categories: [...categoriesOf(engine)] })),
    ],
    engineKinds,
    guardProfiles,
    policies: filters.policies.list().map(({ spec }) => spec.name),
    defaultPolicy,
    blocklists: filters.blocklists.list().map(({ spec }) => spec.name),
    topics: filters.topics.list().map(({ spec }) => spec.name),
  }
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
