import { passClient } from '../pass-on.ts'
import { moderationWire } from './server.ts'

export const openaiModerationsClient = passClient(moderationWire, 'moderate')
