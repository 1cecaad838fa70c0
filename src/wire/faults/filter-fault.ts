import type { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import { writeExplanations } from '../filter/annotations.ts'

/** What is answered in place of a prompt that a content filter keeps back, in the shapes of the Azure OpenAI surfaces. */

/** Clients test for its beginning. */
const promptText =
  "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry. To learn more about our content filtering policies please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766"

const imageText =
  'Your request was rejected as a result of our safety system. Your prompt may contain text that is not allowed by our safety system.'

const violation = 'ResponsibleAIPolicyViolation'

/**
 * The error of texts. The service sends `innererror` where its specification says `inner_error`, and names the results another way:
 * clients read either one, and none minds the other.
 */
export function writeFilterError(fault: Fault): JsonObject {
  const { filter } = fault.detail
  return {
    message: promptText,
    type: null,
    param: 'prompt',
    code: 'content_filter',
    status: fault.status,
    ...(filter && {
      innererror: { code: violation, content_filter_result: filter.results, ...explain(fault) },
      inner_error: { code: violation, content_filter_results: filter.results },
    }),
  }
}

/** The error of prompts for images, which the service writes as its specification says. */
export function writeImageFilterError(fault: Fault): JsonObject {
  const { filter } = fault.detail
  return {
    code: 'content_policy_violation',
    ...(filter && { inner_error: { code: violation, content_filter_results: filter.results, ...explain(fault) } }),
    message: imageText,
    param: null,
    type: 'invalid_request_error',
  }
}

function explain({ detail: { filter } }: Fault): JsonObject | undefined {
  const { explanations } = filter ?? {}
  return explanations && explanations.length > 0 ? { explanations: writeExplanations(explanations) } : undefined
}
