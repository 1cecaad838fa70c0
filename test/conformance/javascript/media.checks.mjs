import { describe } from 'node:test'
import * as openai from 'openai'
import { checkAzureMedia, checkV1Media } from './media.mjs'
import { nameClient } from './surroundings.mjs'

describe(nameClient('openai', 'openai AzureOpenAI media'), () => checkAzureMedia(openai))
describe(nameClient('openai', 'openai OpenAI media'), () => checkV1Media(openai))
