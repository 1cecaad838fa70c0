import type { FilterCategory } from '../../core/filter/categories.ts'
import { filterCategories } from '../../core/filter/categories.ts'
import type { FilterEngine, Finding, Question, Segment } from '../../core/filter/engine.ts'
import type { Detector } from './builtin/detector.ts'
import { compileTerms } from './match/terms.ts'
import type { BlocklistRule, DirectionPlan, FilterPlan, FilterRule } from './plan.ts'
import { createBreaker } from './remote/breaker.ts'
import type { RemoteParts } from './remote/judge-remotely.ts'
import { createVerdictCache } from './remote/verdict-cache.ts'

/** Harm in a made-up language, so that tests read like anything else: `grumbel` is hateful, more so of `wuffels`; `snarz` is an attack. */
export const fakeDetector: Detector = {
  label: 'fake/1',
  screen: compileTerms([{ text: 'grumbel' }, { text: 'snarz' }]),
  analyse(text, { categories }) {
    const findings: Finding[] = []
    for (const match of text.matchAll(/grumbel( wuffels)?|snarz/gi)) {
      const span = { segment: 0, start: match.index, end: match.index + match[0].length }
      const isAttack = match[0].toLowerCase() === 'snarz'
      const category: FilterCategory = isAttack ? 'jailbreak' : 'hate'
      const severity = isAttack ? 7 : match[1] ? 6 : 2
      if (categories.has(category)) findings.push({ category, severity, span, rule: `fake/${category}` })
    }
    return findings
  },
}

export function makeList(name: string, terms: readonly string[], blocking = true): BlocklistRule {
  return {
    name,
    blocking,
    matcher: compileTerms(terms.map((text) => ({ text }))),
    itemOf: (pattern) => `item-${pattern}`,
  }
}

export function makeRule(category: FilterCategory, own: Partial<FilterRule> = {}): FilterRule {
  return {
    category,
    leastSeverity: filterCategories[category].kind === 'severity' ? 4 : 1,
    blocking: true,
    usesBuiltin: true,
    engines: [],
    combine: 'max',
    onError: 'open',
    ...own,
  }
}

export function makeSide(own: Partial<DirectionPlan> = {}): DirectionPlan {
  const side = { rules: [], blocklists: [], pii: undefined, topics: [], ...own }
  const isEmpty = side.rules.length + side.blocklists.length + side.topics.length === 0 && !side.pii
  return { ...side, isEmpty }
}

let versions = 0

export function makePlan(own: Partial<FilterPlan> = {}): FilterPlan {
  return {
    policy: 'test',
    version: `v${versions++}`,
    mode: 'blocking',
    detector: fakeDetector,
    prompt: makeSide({ rules: [makeRule('hate'), makeRule('jailbreak')] }),
    completion: makeSide({ rules: [makeRule('hate')] }),
    scope: { messages: 'last-user', toolResults: false, exemptSystem: true },
    promptCheck: 'concurrent',
    spotlighting: false,
    strictAzureChunks: false,
    isSelectable: true,
    protectedTexts: undefined,
    protectedCode: undefined,
    ...own,
  }
}

export type FakeEngine = FilterEngine & { readonly asked: { segments: readonly Segment[]; question: Question }[] }

/** Finds `wicked` to be violent, after `delayMs`; `answer` may do something else. */
export function makeEngine(
  options: { name?: string; delayMs?: number; answer?: FilterEngine['judge']; maxChars?: number } = {},
): FakeEngine {
  const asked: FakeEngine['asked'] = []
  const { name = 'guard', delayMs = 0, maxChars = 10_000 } = options
  const find = async (segments: readonly Segment[]) => ({
    findings: segments.flatMap(({ text }, segment) =>
      [...text.matchAll(/wicked/g)].map(
        ({ index }): Finding => ({
          category: 'violence',
          severity: 6,
          span: { segment, start: index, end: index + 6 },
          rule: 'wicked',
        }),
      ),
    ),
  })
  return {
    name,
    label: `fake/${name}`,
    categories: new Set<FilterCategory>(['violence', 'hate', 'jailbreak']),
    maxChars,
    deadlineMs: { prompt: 200, window: 200 },
    asked,
    async judge(segments, question) {
      asked.push({ segments, question })
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
      return options.answer ? options.answer(segments, question) : find(segments)
    },
  }
}

export function makeRemote(failures: string[] = []): RemoteParts {
  return {
    breaker: createBreaker(() => performance.now()),
    cache: createVerdictCache(100),
    onFailure: (engine, reason) => void failures.push(`${engine.name}: ${reason}`),
  }
}
