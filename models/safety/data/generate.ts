import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { rotate } from '../../../src/policy/filter/builtin/read-rules.ts'

/** A text to train on and the categories that it is of. */
export type TrainingLine = { readonly text: string; readonly categories: readonly string[] }

type Template = { readonly parts: readonly string[]; readonly categories: readonly string[] }

/** Texts of a template, at most. */
const perTemplate = 36
/** How many of ten texts are written with capitals and marks, as people do who type in a hurry or with care. */
const changedOfTen = 4

/** The lines of `templates.txt` with their slots filled, the same for the same seed; each once. */
export function generateLines(seed: number): TrainingLine[] {
  const { slots, templates } = readTemplates(readFileSync(join(import.meta.dirname, 'templates.txt'), 'utf8'))
  const random = randomFrom(seed)
  const lines = new Map<string, TrainingLine>()
  for (const { parts, categories } of templates)
    for (let i = 0; i < perTemplate; i++) {
      const text = parts
        .map((part, index) => (index % 2 === 0 ? part : pick(slotOf(slots, part), random)))
        .join('')
        .replace(/\s+/g, ' ')
        .trim()
      if (lines.has(text)) continue
      lines.set(text, { text: random() * 10 < changedOfTen ? change(text, random) : text, categories })
    }
  return [...lines.values()]
}

/** Those of `eval/dev.jsonl`, which were looked at while the rules were written: no measure of anything, but good to learn from. */
export function readLookedAtLines(): TrainingLine[] {
  return readFileSync(join(import.meta.dirname, '../eval/dev.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { text, labels } = JSON.parse(line) as { text: string; labels: Record<string, unknown> }
      return { text, categories: Object.keys(labels) }
    })
}

function readTemplates(text: string) {
  const slots = new Map<string, readonly string[]>()
  const templates: Template[] = []
  let categories: readonly string[] | undefined
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const section = /^\[([a-z_ ]+)\]$/.exec(line)
    if (section !== null) categories = (section[1] as string).split(' ').filter((name) => name !== 'safe')
    else if (categories !== undefined) templates.push({ parts: line.split(/[{}]/), categories })
    else {
      const slot = /^([a-z0-9]+)( \[rot13\])?: (.*)$/.exec(line)
      if (slot === null) throw new Error(`templates.txt: not a slot: ${line}`)
      const choices = (slot[3] as string).split('|').map((choice) => choice.trim())
      slots.set(slot[1] as string, slot[2] === undefined ? choices : choices.map(rotate))
    }
  }
  return { slots, templates }
}

function slotOf(slots: ReadonlyMap<string, readonly string[]>, name: string): readonly string[] {
  const choices = slots.get(name)
  if (choices === undefined) throw new Error(`templates.txt: there is no slot {${name}}`)
  return choices
}

function change(text: string, random: () => number): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1)
  const kind = random()
  if (kind < 0.5) return `${capital}${/^(how|what|which|why|is|can|where|are)\b/.test(text) ? '?' : '.'}`
  return kind < 0.7 ? `please ${text}` : kind < 0.85 ? `${capital}!` : `hi, ${text}`
}

function pick<T>(choices: readonly T[], random: () => number): T {
  return choices[Math.floor(random() * choices.length)] as T
}

/** Numbers from 0 to 1 that are the same for the same seed, on any machine (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
