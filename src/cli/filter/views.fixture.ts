import type { AnalyzedLine, BlocklistView, EngineView, PolicyView, TopicView } from '../../control/api.ts'
import type { Explanation } from '../../core/filter/results.ts'

/** For tests: what the server shows. */

const held = {
  etag: '"7"',
  source: { kind: 'stored' },
  createdAt: '2026-01-02T03:04:05Z',
  updatedAt: '2026-01-02T03:04:05Z',
} as const

export function makePolicy(change: Partial<PolicyView> = {}): PolicyView {
  return {
    ...held,
    name: 'strict',
    type: 'UserManaged',
    basePolicyName: 'Microsoft.DefaultV2',
    mode: 'Default',
    contentFilters: [],
    customBlocklists: [],
    customTopics: [],
    scope: { messages: 'last-user', toolResults: false, exemptSystem: true },
    promptCheck: 'concurrent',
    spotlighting: false,
    strictAzureChunks: false,
    selectable: true,
    effectiveFilters: [],
    deployments: [],
    ...change,
  }
}

export function makeFilter(
  change: Partial<PolicyView['effectiveFilters'][number]>,
): PolicyView['effectiveFilters'][number] {
  return {
    category: 'hate',
    source: 'Prompt',
    blocking: true,
    leastSeverity: 4,
    engines: ['builtin'],
    combine: 'max',
    onError: 'open',
    piiTypes: undefined,
    restoresRedacted: false,
    ...change,
  }
}

export function makeBlocklist(change: Partial<BlocklistView> = {}): BlocklistView {
  return { ...held, name: 'offices', itemCount: 2, policies: [], ...change }
}

export function makeEngine(change: Partial<EngineView> = {}): EngineView {
  return {
    ...held,
    name: 'guard',
    kind: 'guard',
    profile: 'qwen3guard',
    deployment: 'qwen',
    categories: ['hate', 'jailbreak'],
    policies: ['strict'],
    ...change,
  }
}

export function makeTopic(change: Partial<TopicView> = {}): TopicView {
  return {
    ...held,
    name: 'tax',
    description: 'Advice on taxes',
    examples: ['how do I hide income'],
    policies: [],
    ...change,
  }
}

export function makeExplanation(change: Partial<Explanation> = {}): Explanation {
  return {
    source: 'Prompt',
    category: 'hate',
    filtered: true,
    severity: 'high',
    threshold: 'medium',
    policy: 'strict',
    engine: 'builtin/1',
    rule: 'hate-3',
    ...change,
  }
}

export const clean: AnalyzedLine = {
  filtered: false,
  results: { hate: { filtered: false, severity: 'safe' }, jailbreak: { detected: false, filtered: false } },
  explanations: [],
}

export const hateful: AnalyzedLine = {
  filtered: true,
  results: { hate: { filtered: true, severity: 'high' }, jailbreak: { detected: false, filtered: false } },
  explanations: [makeExplanation()],
}
