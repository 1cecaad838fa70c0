import { describe } from 'node:test'
import * as openai from 'openai'
import { checkOpenAIv1 } from './openai-v1.mjs'
import { nameClient } from './surroundings.mjs'

describe(nameClient('openai', 'openai OpenAI'), () => checkOpenAIv1(openai))
