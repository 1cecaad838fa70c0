import { z } from 'zod'
import { Fault } from '../../core/fault.ts'
import { readBody } from '../read-body.ts'
import type { FormRules } from '../wire.ts'

export type FormOptions = {
  /** Schemas of the fields' texts. Others pass unread. */
  readonly fields: z.ZodRawShape
  /** Fields and files without which the form is refused at its end. */
  readonly required: readonly string[]
  readonly maxFileBytes?: number
  readonly refuseFile?: (maxBytes: number, readBytes: number) => Fault
}

/** How the form of an operation is judged, part by part as it passes. A name in brackets, as of a list (`image[]`), counts as the name. */
export function createFormRules(options: FormOptions): FormRules {
  const { maxFileBytes = Number.POSITIVE_INFINITY, refuseFile } = options
  const schema = z.looseObject(options.fields).partial()
  return {
    maxFileBytes,
    judgeField: (name, value) => void readBody(schema, { [plainName(name)]: value }),
    refuseFile: (readBytes) =>
      refuseFile?.(maxFileBytes, readBytes) ??
      new Fault('body-too-large', `A file of the form is larger than ${maxFileBytes} bytes.`),
    judgeEnd(names) {
      const given = new Set([...names].map(plainName))
      const missing = options.required.find((name) => !given.has(name))
      if (missing === undefined) return
      throw new Fault('invalid-request', `Invalid value for '${missing}': it is missing from the form.`, {
        param: missing,
      })
    },
  }
}

function plainName(name: string): string {
  const open = name.indexOf('[')
  return open > 0 ? name.slice(0, open) : name
}

/** Numbers and truth as a form spells them. */
export const formNumber = z.coerce.number()
export const formFlag = z.string().regex(/^(true|false|1|0)$/i, '"true" or "false"')
