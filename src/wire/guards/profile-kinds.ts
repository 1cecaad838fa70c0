import type { FilterCategory } from '../../core/filter/categories.ts'
import type { OptionRow } from './option-row.ts'
import { calibrationOption, labelsOption } from './service-kinds.ts'

/** What a guard profile can judge, and what it may be told. */
export type ProfileRow = {
  readonly categories: readonly FilterCategory[]
  readonly options: Readonly<Record<string, OptionRow>>
}

const harms = ['hate', 'sexual', 'violence', 'self_harm'] as const

const prompt: OptionRow = {
  type: 'text',
  isRequired: false,
  about: 'the whole prompt in place of ours; the docs name its placeholders',
}

const style: OptionRow = {
  type: 'text',
  isRequired: false,
  allowed: ['template', 'prompt'],
  about: "whether the server's chat template makes the guard prompt of plain messages, or Ponto writes it",
}

const unsafeSeverity: OptionRow = {
  type: 'number',
  isRequired: false,
  least: 2,
  most: 7,
  about: 'severity of what the model calls unsafe without a score; 4 (medium) when absent',
}

const scores: OptionRow = {
  type: 'text',
  isRequired: false,
  allowed: ['logprobs', 'none'],
  about: 'whether log probabilities are asked for, which make scores (when absent), or only the words count',
}

const policy: OptionRow = {
  type: 'text',
  isRequired: false,
  about: "further rules of the operator's own, put behind ours",
}

const maxTokens: OptionRow = {
  type: 'number',
  isRequired: false,
  least: 1,
  most: 8192,
  about: 'tokens that an answer may have',
}

/** The ways of asking a model that any deployment serves. */
export const guardProfiles = {
  'llama-guard-3': {
    categories: [...harms, 'personally_identifiable_information', 'protected_material_text'],
    options: { style, prompt, scores, unsafeSeverity, calibration: calibrationOption, labels: labelsOption },
  },
  'llama-guard-4': {
    categories: [...harms, 'personally_identifiable_information', 'protected_material_text'],
    options: { style, prompt, scores, unsafeSeverity, calibration: calibrationOption, labels: labelsOption },
  },
  qwen3guard: {
    categories: [
      ...harms,
      'jailbreak',
      'indirect_attack',
      'personally_identifiable_information',
      'protected_material_text',
    ],
    options: { labels: labelsOption },
  },
  'granite-guardian': {
    categories: [...harms, 'jailbreak', 'indirect_attack', 'profanity', 'ungrounded_material', 'custom_topics'],
    options: { style, scores, unsafeSeverity, calibration: calibrationOption, maxTokens },
  },
  shieldgemma: {
    categories: [...harms],
    options: { style, prompt, scores, unsafeSeverity, calibration: calibrationOption },
  },
  nemoguard: {
    categories: [...harms, 'profanity', 'personally_identifiable_information', 'protected_material_text'],
    options: { style, prompt, unsafeSeverity, labels: labelsOption },
  },
  wildguard: {
    categories: [...harms],
    options: { prompt, unsafeSeverity },
  },
  'gpt-oss-safeguard': {
    categories: [...harms, 'jailbreak', 'indirect_attack', 'custom_topics'],
    options: {
      policy,
      maxTokens,
      reasoningEffort: {
        type: 'text',
        isRequired: false,
        allowed: ['low', 'medium', 'high'],
        about: 'how long the model thinks; low when absent',
      },
    },
  },
  judge: {
    categories: [...harms, 'jailbreak', 'indirect_attack', 'custom_topics'],
    options: { policy, maxTokens },
  },
} as const satisfies Record<string, ProfileRow>

export type ProfileName = keyof typeof guardProfiles
