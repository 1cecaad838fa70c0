import type { Recogniser } from '../../recogniser.ts'

/** RFC 5321 allows quoted and much longer local parts; nobody has them. */
export const email: Recogniser = {
  type: 'Email',
  needs: 'at',
  patterns: [
    {
      source: String.raw`\b[A-Za-z0-9][A-Za-z0-9._%+'-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,6}[A-Za-z]{2,24}\b`,
    },
  ],
  isValid(value) {
    const at = value.indexOf('@')
    const local = value.slice(0, at)
    if (local.endsWith('.') || value.includes('..') || value.includes('-.')) return false
    return !fileEndings.has(value.slice(value.lastIndexOf('.') + 1).toLowerCase())
  },
  isChecked: true,
  edges: 'any',
}

/** `logo@2x.png` names an image for a sharper screen. */
const fileEndings = new Set([
  'png',
  'jpg',
  'jpeg',
  'gif',
  'svg',
  'webp',
  'js',
  'ts',
  'css',
  'json',
  'tgz',
  'gz',
  'html',
])
