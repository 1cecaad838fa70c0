import type { JsonObject } from '../../core/json.ts'

/**
 * A stored completion as the API shows it, but for its metadata: the answer that the caller got, and what the request asked for.
 * Fields as in OpenAI's description of `GET /chat/completions`.
 */
export function writeItem(id: string, answer: JsonObject, request: JsonObject, requestId: string): JsonObject {
  return {
    ...answer,
    id,
    request_id: requestId,
    input_user: request.user ?? null,
    tools: request.tools ?? null,
    tool_choice: request.tool_choice ?? null,
    response_format: request.response_format ?? null,
    seed: request.seed ?? null,
    temperature: request.temperature ?? 1,
    top_p: request.top_p ?? 1,
    presence_penalty: request.presence_penalty ?? 0,
    frequency_penalty: request.frequency_penalty ?? 0,
    service_tier: answer.service_tier ?? request.service_tier ?? null,
  }
}

/** The messages of the request; content that came in parts is in a place of its own. */
export function writeMessages(id: string, messages: readonly JsonObject[]): (JsonObject & { id: string })[] {
  return messages.map((message, index) => {
    const { content = null } = message
    const isParts = Array.isArray(content)
    return {
      refusal: null,
      name: null,
      ...message,
      id: `${id}-${index}`,
      content: isParts ? null : content,
      content_parts: isParts ? content : null,
    }
  })
}
