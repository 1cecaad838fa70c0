import { describe } from 'node:test'
import * as openai from 'openai'
import { checkAzureOpenAI } from './azure-openai.mjs'
import { nameClient } from './surroundings.mjs'

describe(nameClient('openai', 'openai AzureOpenAI'), () => checkAzureOpenAI(openai))
