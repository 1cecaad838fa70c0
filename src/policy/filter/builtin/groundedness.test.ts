import { expect, test } from 'bun:test'
import { findUngrounded } from './groundedness.ts'

const documents = [
  'The bridge was opened on 12 May 1998 by Ana Costa. It is 1,250 metres long and cost three million euros.',
  'Visitors reach it from Porto in forty minutes.',
]
const ungrounded = (answer: string) =>
  findUngrounded(answer, documents).map(({ start, end }) => answer.slice(start, end))

test('what the documents say is grounded, in other words too', () => {
  expect(
    ungrounded('Ana Costa opened the bridge in 1998. Its length is 1250 metres, and 3 million euros were spent.'),
  ).toEqual([])
})

test('numbers, dates and names that are in no document are told by their sentence', () => {
  expect(
    ungrounded('It opened in May 1998. It is 1,300 metres long. From Porto it is near. Rui Alves designed it.'),
  ).toEqual(['It is 1,300 metres long.', 'Rui Alves designed it.'])
})

test('the first word of a sentence is no name for its capital alone', () => {
  expect(ungrounded('Bridges like this are rare. Perhaps it is the only one.')).toEqual([])
})

test('titles and initials do not end a sentence', () => {
  expect(ungrounded('It was opened by Dr. Ana Costa. In Porto people liked it.')).toEqual([])
})

test('without documents there is nothing to compare with', () => {
  expect(findUngrounded('It cost 99 euros.', [])).toEqual([])
})
