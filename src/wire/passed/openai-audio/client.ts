import { passClient } from '../pass-on.ts'
import { speechWire, transcriptionWire, translationWire } from './server.ts'

export const openaiTranscriptionsClient = passClient(transcriptionWire, 'transcribe')
export const openaiTranslationsClient = passClient(translationWire, 'translate')
export const openaiSpeechClient = passClient(speechWire, 'speech')
