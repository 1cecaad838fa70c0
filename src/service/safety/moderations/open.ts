import { inferenceAction } from '../../../core/access/data-actions.ts'
import { Fault } from '../../../core/fault.ts'
import type { Finding } from '../../../core/filter/engine.ts'
import type { ServiceRequest, ServiceRoute } from '../../../core/service-route.ts'
import {
  isUsualModel,
  moderationCategories,
  readModerationInputs,
  writeModeration,
} from '../../../wire/passed/openai-moderations/judged.ts'
import { openaiModerationsServer } from '../../../wire/passed/openai-moderations/server.ts'
import type { Judge } from '../judge.ts'

/** How many inputs of a request are judged at once, so that one request does not take all that engines have to give. */
const atOnce = 8

/**
 * Moderations of requests that name no deployment of this server, answered by its own engines. A deployment that has the name of
 * OpenAI's model is asked instead.
 */
export function openModerations({ judge }: { readonly judge: Judge }): { readonly routes: readonly ServiceRoute[] } {
  const answer: ServiceRoute['answer'] = async ({ body, signal }: ServiceRequest) => {
    const inputs = readModerationInputs(body)
    const found: (readonly Finding[])[] = []
    const labels = new Set<string>()
    for (let start = 0; start < inputs.length; start += atOnce) {
      if (signal.aborted) throw new Fault('client-gone', 'The caller went away before its texts were judged.')
      const judgements = await Promise.all(
        inputs.slice(start, start + atOnce).map((texts) => {
          const segments = texts.map((text) => ({ role: 'user', text }) as const)
          return judge(segments, { categories: moderationCategories, source: 'Prompt', signal })
        }),
      )
      for (const { findings, label } of judgements) {
        found.push(findings)
        labels.add(label)
      }
    }
    return { status: 200, body: writeModeration([...labels].join(', '), found) }
  }
  return {
    routes: openaiModerationsServer.routes.map(({ method, path, apiVersion }) => ({
      method,
      path,
      // No model is asked that anybody has deployed.
      action: inferenceAction('moderate', 'OpenAI'),
      apiVersion,
      standsInFor: isUsualModel,
      answer,
    })),
  }
}
