import { z } from 'zod'
import { type FilterCategory, levelOf, severityLevels } from '../../../core/filter/categories.ts'
import type { Finding } from '../../../core/filter/engine.ts'
import type { ServiceAnswer, ServiceRequest } from '../../../core/service-route.ts'
import { readBody } from '../../../wire/read-body.ts'
import type { Judge } from '../judge.ts'
import type { Blocklist, Blocklists } from './blocklists.ts'
import { maxTextPoints, refuse, requireLength } from './limits.ts'
import { requireOwner } from './owner.ts'
import { respondJudged } from './respond.ts'

/** Categories as this API writes them, in its order. */
const categories = {
  Hate: 'hate',
  SelfHarm: 'self_harm',
  Sexual: 'sexual',
  Violence: 'violence',
} as const satisfies Record<string, FilterCategory>

type Category = keyof typeof categories
const names = Object.keys(categories) as Category[]

const schema = z.strictObject({
  text: z.string(),
  categories: z.array(z.enum(names)).nullish(),
  blocklistNames: z.array(z.string()).nullish(),
  haltOnBlocklistHit: z.boolean().nullish(),
  outputType: z.enum(['FourSeverityLevels', 'EightSeverityLevels']).nullish(),
})

/** `POST /contentsafety/text:analyze`: how severe a text is in four categories, and which terms of blocklists it has. */
export async function analyzeText(
  { body, caller, signal }: Pick<ServiceRequest, 'body' | 'caller' | 'signal'>,
  judge: Judge,
  blocklists: Blocklists,
): Promise<ServiceAnswer> {
  const asked = readBody(schema, body)
  requireLength(asked.text, 'text', maxTextPoints)
  if (asked.blocklistNames?.length) requireOwner(caller)
  const lists = (asked.blocklistNames ?? []).map((name, index) => findList(blocklists, name, index))
  const blocklistsMatch = lists.flatMap((list) =>
    blocklists.match(list, asked.text).map((item) => ({
      blocklistName: list.name,
      blocklistItemId: item.id,
      blocklistItemText: item.text,
    })),
  )
  if (blocklistsMatch.length > 0 && asked.haltOnBlocklistHit) {
    return { status: 200, body: { blocklistsMatch, categoriesAnalysis: [] } }
  }
  const chosen = asked.categories?.length ? names.filter((name) => asked.categories?.includes(name)) : names
  const judgement = await judge([{ role: 'user', text: asked.text }], {
    categories: new Set(chosen.map((name) => categories[name])),
    source: 'Prompt',
    signal,
  })
  const isFine = asked.outputType === 'EightSeverityLevels'
  const categoriesAnalysis = chosen.map((category) => {
    const severity = worstSeverity(judgement.findings, categories[category])
    return { category, severity: isFine ? severity : severityLevels.indexOf(levelOf(severity)) * 2 }
  })
  return respondJudged({ blocklistsMatch, categoriesAnalysis }, [judgement])
}

function findList(blocklists: Blocklists, name: string, index: number): Blocklist {
  return (
    blocklists.get(name) ??
    refuse(`blocklistNames[${index}]`, `there is no blocklist ${JSON.stringify(name.slice(0, 64))}`)
  )
}

/** 0 where nothing was found. */
export function worstSeverity(findings: readonly Finding[], category: FilterCategory): number {
  return Math.max(0, ...findings.filter((finding) => finding.category === category).map(({ severity }) => severity))
}
