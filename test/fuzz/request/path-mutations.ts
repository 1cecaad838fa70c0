import type { Random } from '../random.ts'
import { inferenceRoutes, listRoutes } from '../routes.ts'
import type { RequestDraft, RequestMutation } from './draft.ts'

/** What is asked for: method, path and query. */

const setPath = (draft: RequestDraft, path: string): void => {
  draft.path = path
  draft.isPathKnown = false
}
const editPath = (name: string, edit: (path: string, random: Random) => string): RequestMutation => ({
  name,
  apply: (draft, random) => setPath(draft, edit(draft.path, random)),
})

export const pathMutations: readonly RequestMutation[] = [
  editPath('doubled slash', (path) => path.replaceAll('/', '//')),
  editPath('trailing slash', (path) => `${path}/`),
  editPath('upper case', (path) => path.toUpperCase()),
  editPath('escaped path', (path, random) => {
    const at = random.int(1, path.length - 1)
    return `${path.slice(0, at)}%${path.charCodeAt(at).toString(16)}${path.slice(at + 1)}`
  }),
  editPath('bad escape', (path, random) => {
    const at = random.int(1, path.length)
    return (
      path.slice(0, at) + random.pick(['%', '%zz', '%00', '%c0%af', '%ff', '%2f', '%252f', '%0d%0a']) + path.slice(at)
    )
  }),
  editPath('traversal', (path, random) => {
    const at = path.indexOf('/', random.int(0, path.length - 1))
    const up = random.pick(['/..', '/.', '/%2e%2e', '/..%2f..', '/..;', '/...', '\\..\\'])
    return path.slice(0, Math.max(0, at)) + up + path.slice(Math.max(0, at)) || '/'
  }),
  editPath('odd byte', (path, random) => {
    const at = random.int(1, path.length)
    return (
      path.slice(0, at) +
      random.pick(['\xe9', '\0', '\t', '"', '<', '|', '\\', '^', ';', '#x', '{', '\x7f']) +
      path.slice(at)
    )
  }),
  editPath('huge path', (path, random) => path + '/x'.repeat(random.pick([100, 4000, 20_000]))),
  editPath('one segment less', (path) => path.slice(0, path.lastIndexOf('/')) || '/'),
  editPath('deployment', (path, random) =>
    path.replace(
      /good\d\d-[a-z-]+/,
      random.pick(['none', '%2e%2e', 'a%2fb', 'x'.repeat(3000), '__proto__', '%F0%9F%98%80', '']),
    ),
  ),
  editPath(
    'absolute target',
    (path, random) => random.pick(['http://localhost', 'http://evil.example', 'http://a@b', 'ftp://x']) + path,
  ),
  editPath('no path', (_, random) => random.pick(['*', '', 'x', '?', '//', '/%', 'http://', '//x@y/z'])),
  editPath('another route', (_, random) => random.pick([...inferenceRoutes, ...listRoutes]).path),
  {
    name: 'method',
    apply: (draft, random) => {
      const methods = [
        'GET',
        'HEAD',
        'POST',
        'PUT',
        'DELETE',
        'PATCH',
        'OPTIONS',
        'TRACE',
        'CONNECT',
        'post',
        'M',
        'PROPFIND',
      ]
      draft.method = random.pick(methods)
      draft.isPathKnown = false
      // Where the method says what follows, the two sides need not agree.
      if (['CONNECT', 'TRACE', 'post', 'M', 'PROPFIND'].includes(draft.method)) draft.isFramed = false
    },
  },
  {
    name: 'query',
    apply: (draft, random) => {
      draft.query = random.pick([
        '',
        'api-version=',
        'api-version=2024-10-21&api-version=x',
        'api-version=9999-99-99',
        'api-version=v1',
        'api-version=%00',
        `api-version=${'1'.repeat(5000)}`,
        'API-VERSION=2024-10-21',
        'api-version=2024-10-21&model=none',
        'api-version=2024-10-21&__proto__=1&%ff=%ff',
        `api-version=2024-10-21${'&a=b'.repeat(2000)}`,
        '?????&&&===',
        '%',
      ])
    },
  },
]
