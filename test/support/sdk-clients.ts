import OpenAI, { AzureOpenAI } from 'openai'
import { testKey } from './harness.ts'

/** The vendor's client on each of the two surfaces that files have, for `describe.each`. `urlOf` tells where the server is by then. */
export function listSdkClients(urlOf: () => string): readonly [string, (apiKey?: string) => OpenAI][] {
  const maxRetries = 0
  return [
    ['OpenAI', (apiKey = testKey) => new OpenAI({ apiKey, baseURL: `${urlOf()}/openai/v1`, maxRetries })],
    [
      'AzureOpenAI',
      (apiKey = testKey) => new AzureOpenAI({ apiKey, endpoint: urlOf(), apiVersion: '2024-10-21', maxRetries }),
    ],
  ]
}

/** The SDK's promises are not what `rejects` looks at. */
export async function failureOf(asked: PromiseLike<unknown>): Promise<unknown> {
  try {
    return void (await asked)
  } catch (error) {
    return error
  }
}
