import { Fault } from '../../../core/fault.ts'
import type { ServerEnd, ServerRoute } from '../../wire.ts'
import { createFormRules } from '../form-rules.ts'
import { passServer } from '../pass-on.ts'
import { speechBodySchema, transcriptionFields, translationFields } from './schema.ts'

export const transcriptionWire = 'openai-transcriptions'
export const translationWire = 'openai-translations'
export const speechWire = 'openai-speech'

export const maxAudioBytes = 26_214_400

const audioForm = { required: ['file'], maxFileBytes: maxAudioBytes, refuseFile: refuseAudio }

export const openaiTranscriptionsServer: ServerEnd = passServer({
  wire: transcriptionWire,
  kind: 'transcribe',
  routes: audioRoutes('transcriptions'),
  form: createFormRules({ ...audioForm, fields: transcriptionFields }),
})

export const openaiTranslationsServer: ServerEnd = passServer({
  wire: translationWire,
  kind: 'translate',
  routes: audioRoutes('translations'),
  form: createFormRules({ ...audioForm, fields: translationFields }),
})

/** Speech is asked for in JSON, whatever the Azure OpenAI description says of a form. */
export const openaiSpeechServer: ServerEnd = passServer({
  wire: speechWire,
  kind: 'speech',
  routes: audioRoutes('speech'),
  schema: speechBodySchema,
})

function audioRoutes(operation: string): readonly ServerRoute[] {
  return [
    { method: 'POST', path: `/openai/deployments/{deployment}/audio/${operation}`, apiVersion: 'required' },
    { method: 'POST', path: `/openai/v1/audio/${operation}`, apiVersion: 'optional' },
  ]
}

/** The service's own answer, which really holds the word "null" twice. */
function refuseAudio(maxBytes: number, readBytes: number): Fault {
  const message = `Maximum content size limit (${maxBytes}) exceeded (${readBytes} bytes read)`
  const error = { message, type: 'server_error', param: 'null', code: 'null' }
  return new Fault('body-too-large', message, { upstream: { wire: transcriptionWire, body: { error } } })
}
