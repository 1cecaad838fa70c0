import { expect, test } from 'bun:test'
import { elementsOf, textOf, wordOf } from './xml.ts'

test('finds elements and what is in them', () => {
  const xml =
    '<?xml version="1.0"?><List xmlns="a"><Item kind="x"><Name>a</Name></Item>\n<Item><Name>b</Name></Item><Items>c</Items></List>'
  expect(elementsOf(xml, 'Item')).toEqual(['<Name>a</Name>', '<Name>b</Name>'])
  expect(elementsOf(xml, 'None')).toEqual([])
  expect(textOf(xml, 'Name')).toBe('a')
  expect(textOf(xml, 'None')).toBeUndefined()
})

test('reads what is escaped', () => {
  expect(textOf('<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x42;&amp;lt;&none;&#x110000;</a>', 'a')).toBe(
    '<>&"\'AB&lt;&none;&#x110000;',
  )
})

test('an empty element has an empty text', () => {
  expect(textOf('<a></a>', 'a')).toBe('')
  expect(textOf('<a/>', 'a')).toBeUndefined()
})

test('a word is nothing else', () => {
  expect(wordOf('<Code>SlowDown</Code>', 'Code')).toBe('SlowDown')
  expect(wordOf('<Code>key AKID is bad</Code>', 'Code')).toBeUndefined()
})
