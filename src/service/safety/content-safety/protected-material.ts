import { z } from 'zod'
import type { Finding } from '../../../core/filter/engine.ts'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import type { ServiceAnswer, ServiceRequest } from '../../../core/service-route.ts'
import { readBody } from '../../../wire/read-body.ts'
import type { Judge } from '../judge.ts'
import { worstSeverity } from './analyze-text.ts'
import { maxProtectedPoints, maxTextPoints, minProtectedPoints, requireLength } from './limits.ts'
import { respondJudged } from './respond.ts'

const textSchema = z.strictObject({ text: z.string() })
const codeSchema = z.strictObject({ code: z.string() })

/** `POST /contentsafety/text:detectProtectedMaterial`: whether an answer repeats a text that belongs to somebody. */
export async function detectProtectedText(
  { body, signal }: Pick<ServiceRequest, 'body' | 'signal'>,
  judge: Judge,
): Promise<ServiceAnswer> {
  const { text } = readBody(textSchema, body)
  requireLength(text, 'text', maxProtectedPoints, minProtectedPoints)
  const judgement = await judge([{ role: 'assistant', text }], {
    categories: new Set(['protected_material_text']),
    source: 'Completion',
    signal,
  })
  const detected = worstSeverity(judgement.findings, 'protected_material_text') > 0
  return respondJudged({ protectedMaterialAnalysis: { detected } }, [judgement])
}

/** `POST /contentsafety/text:detectProtectedMaterialForCode`: the same of code, and where it comes from. */
export async function detectProtectedCode(
  { body, signal }: Pick<ServiceRequest, 'body' | 'signal'>,
  judge: Judge,
): Promise<ServiceAnswer> {
  const { code } = readBody(codeSchema, body)
  requireLength(code, 'code', maxTextPoints)
  const judgement = await judge([{ role: 'assistant', text: code }], {
    categories: new Set(['protected_material_code']),
    source: 'Completion',
    signal,
  })
  const found = judgement.findings.filter(
    ({ category, severity }) => category === 'protected_material_code' && severity > 0,
  )
  const analysis = { detected: found.length > 0, codeCitations: writeCitations(found) }
  return respondJudged({ protectedMaterialAnalysis: analysis }, [judgement])
}

/** Sources by licence, each once. */
function writeCitations(found: readonly Finding[]): JsonObject[] {
  const urls = new Map<string, Set<string>>()
  for (const { annotation } of found) {
    const citation = annotation?.citation
    if (!isJsonObject(citation) || typeof citation.URL !== 'string') continue
    const license = typeof citation.license === 'string' ? citation.license : 'NOASSERTION'
    const known = urls.get(license) ?? new Set()
    urls.set(license, known.add(citation.URL))
  }
  return [...urls].map(([license, sourceUrls]) => ({ license, sourceUrls: [...sourceUrls] }))
}
