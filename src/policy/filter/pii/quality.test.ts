import { expect, test } from 'bun:test'
import { createPiiRule } from './pii-rule.ts'
import { type PiiType, piiTypes } from './pii-types.ts'
import { checkedValues, lookAlikes, namelessSentence, names, openDraw, sentences } from './synthetic.fixture.ts'

const rule = createPiiRule(new Map(Object.keys(piiTypes).map((type) => [type, 'annotate'] as const)), false)

/** 1,000 lines, three of five with one value of a type that has a checksum. Three in a hundred of these do not say what it is. */
function measure(seed: number): { precision: number; recall: number; wrong: string[] } {
  const draw = openDraw(seed)
  const types = Object.keys(checkedValues) as PiiType[]
  const wrong: string[] = []
  let [found, missed] = [0, 0]
  for (let line = 0; line < 1000; line++) {
    if (line % 5 >= 3) {
      const text = draw.pick(lookAlikes)(draw)
      for (const { type, start, end } of rule.find(text)) wrong.push(`${type} ${text.slice(start, end)} in: ${text}`)
      continue
    }
    const type = types[line % types.length] as PiiType
    const value = checkedValues[type]?.(draw) as string
    const sentence = draw.below(100) < 3 ? namelessSentence : draw.pick(sentences)
    const text = sentence.replaceAll('#', draw.pick(names[type] as readonly string[])).replace('@', value)
    const matches = rule.find(text)
    const start = text.indexOf(value)
    const hit = matches.find(
      (match) => match.type === type && match.start === start && match.end === start + value.length,
    )
    if (hit) found++
    else missed++
    for (const match of matches) if (match !== hit) wrong.push(`${match.type} in: ${text}`)
  }
  return { precision: found / (found + wrong.length), recall: found / (found + missed), wrong }
}

for (const seed of [7, 2026, 99_991]) {
  test(`checksum types over 1,000 synthetic lines, seed ${seed}`, () => {
    const { precision, recall, wrong } = measure(seed)
    console.log(`precision ${precision.toFixed(4)}, recall ${recall.toFixed(4)}`)
    expect(precision, wrong.join('\n')).toBeGreaterThanOrEqual(0.98)
    expect(recall).toBeGreaterThanOrEqual(0.95)
  })
}
