import { z } from 'zod'
import { formFlag, formNumber } from '../form-rules.ts'

/** Audio as OpenAI and Azure OpenAI define it. */

const temperature = formNumber.min(0).max(1)

export const transcriptionFields = {
  language: z.string(),
  prompt: z.string(),
  response_format: z.enum(['json', 'text', 'srt', 'verbose_json', 'vtt', 'diarized_json']),
  temperature,
  timestamp_granularities: z.enum(['word', 'segment']),
  stream: formFlag,
}

export const translationFields = {
  prompt: z.string(),
  response_format: z.enum(['json', 'text', 'srt', 'verbose_json', 'vtt']),
  temperature,
}

export const speechBodySchema = z.looseObject({
  model: z.string().nullish(),
  input: z.string().max(4096),
  /** A name, or a voice of one's own. */
  voice: z.union([z.string(), z.looseObject({ id: z.string() })]),
  response_format: z.enum(['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm']).nullish(),
  speed: z.number().min(0.25).max(4).nullish(),
  instructions: z.string().max(4096).nullish(),
  stream_format: z.enum(['audio', 'sse']).nullish(),
})
