import type { Random } from '../random.ts'
import { hardTexts, oddPatterns, plainTexts } from './texts.ts'

/** What the routes that ask the server's own engines are asked, to begin from. */

export type ServiceKind =
  | 'analyze'
  | 'shield'
  | 'protected-text'
  | 'protected-code'
  | 'groundedness'
  | 'list'
  | 'add-items'
  | 'remove-items'
  | 'moderation'
  | 'none'

export const listNames = ['own-a', 'Own-A', 'own.b', 'planted', 'own-c', 'none']
export const itemNames = ['word', 'item', 'none', '%00', '..%2f']

const pickText = (random: Random): string => random.pick(random.chance(0.6) ? plainTexts : hardTexts)

/** undefined for what has no body. */
export function serviceBody(kind: ServiceKind, random: Random): unknown {
  const text = pickText(random)
  switch (kind) {
    case 'analyze':
      return {
        text: text.slice(0, random.pick([100, 10_000, 20_000])),
        categories: random.pick([undefined, null, ['Hate'], ['Hate', 'SelfHarm', 'Sexual', 'Violence']]),
        blocklistNames: random.chance(0.6) ? [random.pick(listNames), 'planted'] : undefined,
        haltOnBlocklistHit: random.chance(0.3),
        outputType: random.pick(['FourSeverityLevels', 'EightSeverityLevels', undefined]),
      }
    case 'shield':
      return { userPrompt: text.slice(0, 9_000), documents: random.chance(0.5) ? [pickText(random).slice(0, 900)] : [] }
    case 'protected-text':
      return { text: text.padEnd(120, ' la la').slice(0, 1_000) }
    case 'protected-code':
      return { code: text.slice(0, 10_000) }
    case 'groundedness':
      return {
        domain: 'Generic',
        task: random.pick(['QnA', 'Summarization']),
        qna: { query: 'What is it?' },
        text: text.slice(0, 7_500),
        groundingSources: [pickText(random).slice(0, 7_500), 'The sky is blue.'],
        reasoning: false,
      }
    case 'list':
      return { description: random.pick(['ours', '', null, 'x'.repeat(1025)]) }
    case 'add-items':
      return {
        blocklistItems: Array.from({ length: random.int(1, 4) }, () => ({
          text: random.pick(random.chance(0.5) ? oddPatterns : ['berry', 'a b', 'Größe', 'x']),
          isRegex: random.chance(0.6),
          description: 'd',
        })),
      }
    case 'remove-items':
      return { blocklistItemIds: [random.pick(itemNames)] }
    case 'moderation':
      return {
        input: random.pick<unknown>([text, [text, pickText(random)], [{ type: 'text', text }], []]),
        model: random.pick(['omni-moderation-latest', 'text-moderation-stable', undefined, 'none']),
      }
    case 'none':
      return undefined
  }
}
