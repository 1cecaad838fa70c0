import type { EngineKindRow, OptionRow } from './option-row.ts'

/** Labels of any engine can be mapped otherwise than its table does. */
export const labelsOption: OptionRow = {
  type: 'label-map',
  isRequired: false,
  about: "the engine's labels that shall mean another category than its table says, or none",
}

export const calibrationOption: OptionRow = {
  type: 'calibration',
  isRequired: false,
  about: 'the least score of low, medium and high, where the engine gives scores',
}

const harms = ['hate', 'sexual', 'violence', 'self_harm'] as const

/** The safety services that are spoken to over HTTP, and what each needs. */
export const serviceKinds = {
  'azure-content-safety': {
    categories: [
      ...harms,
      'jailbreak',
      'indirect_attack',
      'protected_material_text',
      'protected_material_code',
      'ungrounded_material',
      'custom_blocklists',
    ],
    deployment: 'none',
    url: 'required',
    credential: 'required',
    apiVersion: '2024-09-01',
    maxChars: 10_000,
    options: {
      blocklists: { type: 'texts', isRequired: false, about: 'names of blocklists kept at the service' },
      auth: {
        type: 'text',
        isRequired: false,
        allowed: ['key', 'bearer'],
        about: 'whether the credential is a key of the resource (when absent) or a token that the operator renews',
      },
    },
  },
  'openai-moderations': {
    categories: [...harms],
    deployment: 'none',
    url: 'optional',
    defaultUrl: 'https://api.openai.com/v1',
    credential: 'required',
    maxChars: 20_000,
    options: {
      model: { type: 'text', isRequired: false, about: 'omni-moderation-latest when absent' },
      calibration: calibrationOption,
      labels: labelsOption,
    },
  },
  'bedrock-guardrails': {
    categories: [
      'hate',
      'sexual',
      'violence',
      'jailbreak',
      'indirect_attack',
      'profanity',
      'personally_identifiable_information',
      'custom_blocklists',
      'custom_topics',
      'ungrounded_material',
    ],
    deployment: 'none',
    url: 'optional',
    credential: 'required',
    maxChars: 20_000,
    options: {
      guardrailId: { type: 'text', isRequired: true, about: 'identifier of the guardrail' },
      guardrailVersion: { type: 'text', isRequired: false, about: 'its version; DRAFT when absent' },
      region: { type: 'text', isRequired: true, pattern: /^[a-z0-9-]+$/, about: 'a region such as eu-central-1' },
      labels: labelsOption,
    },
  },
  'model-armor': {
    categories: ['hate', 'sexual', 'violence', 'jailbreak', 'indirect_attack', 'personally_identifiable_information'],
    deployment: 'none',
    url: 'optional',
    credential: 'required',
    maxChars: 8_000,
    options: {
      template: {
        type: 'text',
        isRequired: true,
        pattern: /^projects\/[^/\s?#]+\/locations\/[a-z0-9-]+\/templates\/[^/\s?#]+$/,
        about: 'projects/PROJECT/locations/LOCATION/templates/TEMPLATE',
      },
      labels: labelsOption,
    },
  },
  lakera: {
    categories: [...harms, 'jailbreak', 'indirect_attack', 'profanity', 'personally_identifiable_information'],
    deployment: 'none',
    url: 'optional',
    defaultUrl: 'https://api.lakera.ai',
    credential: 'required',
    maxChars: 20_000,
    options: {
      projectId: { type: 'text', isRequired: false, about: 'whose policy is used; the default one when absent' },
      labels: labelsOption,
    },
  },
  http: {
    categories: [...harms, 'jailbreak', 'indirect_attack', 'profanity', 'personally_identifiable_information'],
    deployment: 'none',
    url: 'required',
    credential: 'optional',
    maxChars: 20_000,
    options: {
      model: { type: 'text', isRequired: false, about: 'sent as `model` when given' },
      auth: {
        type: 'text',
        isRequired: false,
        allowed: ['bearer', 'api-key', 'x-api-key'],
        about: 'how the credential is sent; bearer when absent',
      },
      calibration: calibrationOption,
      labels: labelsOption,
    },
  },
} as const satisfies Record<string, EngineKindRow>

export type ServiceKind = keyof typeof serviceKinds
