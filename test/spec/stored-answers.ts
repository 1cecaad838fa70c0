import type { JsonObject } from '../../src/core/json.ts'
import { type Harness, testKey } from '../support/harness.ts'
import type { Answer } from './answers.ts'
import type { ShapeName } from './shapes.ts'

const base = '/openai/v1/chat/completions'

/** The answers of the routes of stored completions, which only OpenAI's own description has. */
export async function collectStoredAnswers(ponto: Harness): Promise<Answer[]> {
  const tools = [{ type: 'function', function: { name: 'f' } }]
  const user = { role: 'user', content: [{ type: 'text', text: 'hi' }] }
  const body = { model: 'talker', messages: [user], tools, store: true, metadata: { k: 'v' } }
  const { id } = (await (await ponto.post(base, body)).json()) as { id: string }
  await ponto.post(base, { ...body, stream: true, tools: undefined }).then((response) => response.text())

  const answers: Answer[] = []
  const ask = async (
    method: Answer['method'],
    operation: string,
    shape: ShapeName,
    sent?: JsonObject,
  ): Promise<void> => {
    const path = operation.replace('/chat/completions', base).replace('{completion_id}', id)
    const init = { method: method?.toUpperCase() ?? '', headers: { 'api-key': testKey } }
    const response = await fetch(ponto.url + path, { ...init, body: sent ? JSON.stringify(sent) : null })
    const where = { shape, surface: 'stored', operation, method, status: response.status, isChunk: false } as const
    answers.push({ name: `${method} ${path}`, ...where, body: (await response.json()) as JsonObject })
  }
  await ask('get', '/chat/completions', 'stored completions')
  await ask('get', '/chat/completions/{completion_id}', 'stored completion')
  await ask('post', '/chat/completions/{completion_id}', 'stored completion', { metadata: {} })
  await ask('get', '/chat/completions/{completion_id}/messages', 'stored messages')
  await ask('delete', '/chat/completions/{completion_id}', 'deleted completion')
  return answers
}
