import { passClient } from '../pass-on.ts'
import { imageEditWire, imageWire } from './server.ts'

export const openaiImagesClient = passClient(imageWire, 'image')
export const openaiImageEditsClient = passClient(imageEditWire, 'image-edit')
