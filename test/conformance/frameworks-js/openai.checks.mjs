import { describe } from 'node:test'
import * as openai from 'openai'
import { checkAzureOpenAI } from '../javascript/azure-openai.mjs'
import { checkAzureMedia, checkV1Media } from '../javascript/media.mjs'
import { checkOpenAIv1 } from '../javascript/openai-v1.mjs'
import { nameClient } from './surroundings.mjs'

describe(nameClient('openai', 'openai AzureOpenAI'), () => checkAzureOpenAI(openai))
describe(nameClient('openai', 'openai OpenAI'), () => checkOpenAIv1(openai))
describe(nameClient('openai', 'openai AzureOpenAI media'), () => checkAzureMedia(openai))
describe(nameClient('openai', 'openai OpenAI media'), () => checkV1Media(openai))
