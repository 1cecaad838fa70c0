import type { EngineOptions } from '../option-row.ts'
import { type ServiceKind, serviceKinds } from '../service-kinds.ts'
import { createAzureContentSafety } from './azure-content-safety.ts'
import { createBedrockGuardrails } from './bedrock-guardrails.ts'
import { createLakera } from './lakera.ts'
import { createModelArmor } from './model-armor.ts'
import { createHttpModerations, createOpenAIModerations } from './openai-moderations.ts'
import type { SafetyService } from './safety-service.ts'

export type ServiceSettings = {
  readonly url: string | undefined
  readonly apiVersion: string | undefined
  readonly credential: string | undefined
  readonly options: EngineOptions
}

/** The codec of a service with its settings, which were judged before. Throws a TypeError for an address that is no URL. */
export function createService(
  kind: ServiceKind,
  { url, apiVersion, credential, options }: ServiceSettings,
): SafetyService {
  switch (kind) {
    case 'azure-content-safety':
      return createAzureContentSafety(url ?? '', apiVersion ?? serviceKinds[kind].apiVersion, options)
    case 'openai-moderations':
      return createOpenAIModerations(url ?? serviceKinds[kind].defaultUrl, options)
    case 'bedrock-guardrails':
      return createBedrockGuardrails(url, credential, options)
    case 'model-armor':
      return createModelArmor(url, options)
    case 'lakera':
      return createLakera(url ?? serviceKinds[kind].defaultUrl, options)
    case 'http':
      return createHttpModerations(url ?? '', credential !== undefined, options)
  }
}
