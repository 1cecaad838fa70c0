import { describe } from 'node:test'
import * as openai from 'openai'
import { checkAzureOpenAI } from '../javascript/azure-openai.mjs'
import { checkFilters } from '../javascript/filters.mjs'
import { checkAzureMedia, checkV1Media } from '../javascript/media.mjs'
import { checkOpenAIv1 } from '../javascript/openai-v1.mjs'
import { key, nameClient, rootUrl } from './surroundings.mjs'

describe(nameClient('openai', 'openai AzureOpenAI'), () => checkAzureOpenAI(openai))
describe(nameClient('openai', 'openai OpenAI'), () => checkOpenAIv1(openai))
describe(nameClient('openai', 'openai AzureOpenAI media'), () => checkAzureMedia(openai))
describe(nameClient('openai', 'openai OpenAI media'), () => checkV1Media(openai))

describe(nameClient('openai', 'openai AzureOpenAI filters'), () => {
  checkFilters(openai, () => new openai.AzureOpenAI({ apiVersion: '2024-10-21' }))
})
describe(nameClient('openai', 'openai OpenAI filters'), () => {
  checkFilters(openai, () => new openai.OpenAI({ baseURL: `${rootUrl}/openai/v1/`, apiKey: key }))
})
