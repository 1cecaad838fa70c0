import { contentSafetyAction } from '../../../core/access/data-actions.ts'
import type { ServiceAnswer, ServiceRequest, ServiceRoute } from '../../../core/service-route.ts'
import type { Judge } from '../judge.ts'
import { analyzeText } from './analyze-text.ts'
import type { Blocklists } from './blocklists.ts'
import { detectGroundedness } from './groundedness.ts'
import { createListRoutes } from './list-routes.ts'
import { detectProtectedCode, detectProtectedText } from './protected-material.ts'
import { shieldPrompt } from './shield-prompt.ts'

export type ContentSafetyOptions = {
  readonly judge: Judge
  readonly blocklists: Blocklists
}

export type ContentSafety = { readonly routes: readonly ServiceRoute[] }

/**
 * The REST API of Azure AI Content Safety for texts, answered by this server's own engines. Spec: ContentSafety 2024-09-01, and
 * 2024-09-15-preview for code and groundedness.
 */
export function openContentSafety({ judge, blocklists }: ContentSafetyOptions): ContentSafety {
  const verbs: Record<string, (request: ServiceRequest) => Promise<ServiceAnswer>> = {
    analyze: (request) => analyzeText(request, judge, blocklists),
    shieldPrompt: (request) => shieldPrompt(request, judge),
    detectProtectedMaterial: (request) => detectProtectedText(request, judge),
    detectProtectedMaterialForCode: (request) => detectProtectedCode(request, judge),
    detectGroundedness: (request) => detectGroundedness(request, judge),
  }
  const analyses = Object.entries(verbs).map(
    ([verb, answer]): ServiceRoute => ({
      method: 'POST',
      path: `/contentsafety/text:${verb}`,
      action: contentSafetyAction(`text:${verb}/action`),
      apiVersion: 'required',
      answer,
    }),
  )
  return { routes: [...analyses, ...createListRoutes(blocklists)] }
}
