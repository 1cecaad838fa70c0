import { spliceModel } from '../../../src/core/text/splice-model.ts'
import { writeRequestBody } from '../../load/workloads.ts'
import type { Bench } from '../bench.ts'

const text = writeRequestBody('Bench-chat', true)
const body = JSON.parse(text)

export const spliceModelBenches: readonly Bench[] = [
  {
    name: 'core/text/splice-model: another name into 1.1 kB',
    run(times) {
      for (let i = 0; i < times; i++) spliceModel(text, body, 'chat')
    },
  },
  {
    name: 'core/text/splice-model: the same body written anew',
    run(times) {
      for (let i = 0; i < times; i++) JSON.stringify({ ...body, model: 'chat' })
    },
  },
]
