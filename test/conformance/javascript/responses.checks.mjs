import { describe } from 'node:test'
import * as openai from 'openai'
import { checkResponses } from './responses.mjs'
import { key, nameClient, rootUrl } from './surroundings.mjs'

describe(nameClient('openai', 'openai OpenAI'), () => {
  checkResponses(openai, () => new openai.OpenAI({ baseURL: `${rootUrl}/openai/v1/`, apiKey: key }))
})

describe(nameClient('openai', 'openai AzureOpenAI'), () => {
  checkResponses(openai, () => new openai.AzureOpenAI({ apiVersion: '2025-03-01-preview' }))
})
