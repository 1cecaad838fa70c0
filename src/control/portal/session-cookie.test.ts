import { expect, test } from 'bun:test'
import { readSessionCookie, writeSessionCookie } from './session-cookie.ts'

const write = (origin: string, host: string, token = 'TOKEN') =>
  writeSessionCookie(new Headers({ origin, host }), token).split('; ')

test('over HTTPS it is one that no script reads, no other site sends and no other host sets', () => {
  expect(write('https://localhost:8443', 'localhost:8443')).toEqual([
    '__Host-ponto-session-8443=TOKEN',
    'Path=/',
    'Max-Age=43200',
    'HttpOnly',
    'SameSite=Strict',
    'Secure',
  ])
})

test('over plain HTTP it is the same but for what browsers take over HTTPS only', () => {
  const parts = write('http://localhost:8080', 'localhost:8080')
  expect(parts).toEqual(['ponto-session-8080=TOKEN', 'Path=/', 'Max-Age=43200', 'HttpOnly', 'SameSite=Strict'])
})

test('ending it takes it away at once, with the same attributes', () => {
  const parts = write('https://ponto.example', 'ponto.example', '')
  expect(parts).toEqual(['__Host-ponto-session-443=', 'Path=/', 'Max-Age=0', 'HttpOnly', 'SameSite=Strict', 'Secure'])
})

test.each<[string, string, string]>([
  ['localhost:8443', '__Host-ponto-session-8443=ONE', 'ONE'],
  ['localhost:8080', 'ponto-session-8080=ONE', 'ONE'],
  ['ponto.example', 'a=b; __Host-ponto-session-443=ONE; c=d', 'ONE'],
  ['[::1]:8443', '__Host-ponto-session-8443=ONE', 'ONE'],
  ['localhost:8443', '__Host-ponto-session-9443=OTHER', ''],
  ['localhost:8443', 'x__Host-ponto-session-8443=OTHER', ''],
  ['localhost:8443', '__Host-ponto-session-8443=', ''],
  ['localhost:8443', '', ''],
])('of a request to %s with %p it is %p', (host, cookie, token) => {
  expect(readSessionCookie(new Headers({ host, cookie }))).toBe(token)
})
