import { expect, test } from 'bun:test'
import { clueBits, findClues } from './screen.ts'

test('sentences have no clues', () => {
  for (const text of [
    '',
    'The committee met again on Tuesday: nobody could say why, but “everyone” agreed!',
    'Grüße aus Köln, à bientôt – até já 🙂',
    'Привет, как дела? こんにちは、元気ですか。',
    'const answer: compute(left, right) + OTHER - 𝟙',
  ]) {
    expect(findClues(text), text).toBe(0)
  }
})

test('each clue is seen', () => {
  for (const [text, clues] of [
    ['room 7', clueBits.digit],
    ['In 2024, at 12:30.', clueBits.digit],
    ['a@b', clueBits.at],
    ['DEUTDEFF', clueBits.capitals],
    ['-----BEGIN X', clueBits.token],
    ['a=b', clueBits.token],
    ['ghp_abcdefghijkl', clueBits.token],
    ['tulip!7', clueBits.token | clueBits.digit],
    ['7a@b x', clueBits.token | clueBits.digit | clueBits.at],
    ['a\u2060b', 7],
    ['a\u{e0041}b', 7],
  ] as const) {
    expect(findClues(text), text).toBe(clues)
  }
})
