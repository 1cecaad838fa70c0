import { describe } from 'node:test'
import * as openai from 'openai'
import { checkStored } from './stored.mjs'
import { key, nameClient, rootUrl } from './surroundings.mjs'

describe(nameClient('openai', 'openai OpenAI'), () => {
  checkStored(openai, () => new openai.OpenAI({ baseURL: `${rootUrl}/openai/v1/`, apiKey: key }))
})

describe(nameClient('openai', 'openai AzureOpenAI'), () => {
  checkStored(openai, () => new openai.AzureOpenAI({ apiVersion: '2025-02-01-preview' }))
})
