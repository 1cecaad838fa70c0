import { z } from 'zod'

/** Fields of a chat request that the canonical form has no place for: judged here and passed on to upstreams that know them. */

const maxMetadataPairs = 16

export const metadataSchema = z
  .record(z.string(), z.string().max(512))
  .refine((map) => Object.keys(map).length <= maxMetadataPairs, `at most ${maxMetadataPairs} pairs`)
  .refine((map) => Object.keys(map).every((key) => key.length <= 64), 'keys of at most 64 characters')
  .describe(`object, at most ${maxMetadataPairs} pairs of a key of at most 64 characters and a text of at most 512`)

const guid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'a GUID of 36 characters')

export const userSecurityContextSchema = z.looseObject({
  application_name: z.string().max(100).nullish(),
  end_user_id: guid.nullish(),
  end_user_tenant_id: guid.nullish(),
  source_ip: z.string().min(2).max(45).nullish(),
})

export const audioSchema = z.looseObject({
  voice: z.union([z.string(), z.looseObject({ id: z.string() })]),
  format: z.enum(['wav', 'mp3', 'aac', 'flac', 'opus', 'pcm16']),
})

const textParts = z.array(z.looseObject({ type: z.literal('text'), text: z.string() })).min(1)

export const predictionSchema = z.looseObject({
  type: z.literal('content'),
  content: z.union([z.string(), textParts]),
})

export const dataSourceSchema = z.looseObject({ type: z.string(), parameters: z.looseObject({}) })
