/**
 * What a content filter can be about, by the name under which answers annotate it. `title` is the name in policies, as Azure's
 * management API writes it. `severity` ones come in four levels, `binary` ones are there or not. `sources`: which side they are for.
 */
export const filterCategories = {
  hate: { title: 'Hate', kind: 'severity', sources: ['Prompt', 'Completion'] },
  sexual: { title: 'Sexual', kind: 'severity', sources: ['Prompt', 'Completion'] },
  violence: { title: 'Violence', kind: 'severity', sources: ['Prompt', 'Completion'] },
  self_harm: { title: 'Selfharm', kind: 'severity', sources: ['Prompt', 'Completion'] },
  jailbreak: { title: 'Jailbreak', kind: 'binary', sources: ['Prompt'] },
  indirect_attack: { title: 'Indirect Attack', kind: 'binary', sources: ['Prompt'] },
  profanity: { title: 'Profanity', kind: 'binary', sources: ['Prompt', 'Completion'] },
  protected_material_text: { title: 'Protected Material Text', kind: 'binary', sources: ['Completion'] },
  protected_material_code: { title: 'Protected Material Code', kind: 'binary', sources: ['Completion'] },
  ungrounded_material: { title: 'Groundedness', kind: 'binary', sources: ['Completion'] },
  personally_identifiable_information: {
    title: 'Personally Identifiable Information',
    kind: 'binary',
    sources: ['Prompt', 'Completion'],
  },
  custom_blocklists: { title: 'Custom Blocklists', kind: 'list', sources: ['Prompt', 'Completion'] },
  custom_topics: { title: 'Custom Topics', kind: 'list', sources: ['Prompt', 'Completion'] },
} as const satisfies Record<
  string,
  { readonly title: string; readonly kind: 'severity' | 'binary' | 'list'; readonly sources: readonly FilterSource[] }
>

/** Whose words are judged: the caller's or the model's. */
export type FilterSource = 'Prompt' | 'Completion'

export type FilterCategory = keyof typeof filterCategories

/** The four levels in their order, as annotations write them. */
export const severityLevels = ['safe', 'low', 'medium', 'high'] as const

export type SeverityLevel = (typeof severityLevels)[number]

/** The level of a severity of 0 to 7: two of them make one. */
export function levelOf(severity: number): SeverityLevel {
  return severityLevels[Math.min(3, Math.max(0, severity >> 1))] as SeverityLevel
}

/** The least severity, of 0 to 7, that a threshold of that level filters. */
export function leastSeverity(threshold: Exclude<SeverityLevel, 'safe'>): number {
  return severityLevels.indexOf(threshold) * 2
}
