import type { Recogniser } from '../../recogniser.ts'

/** RFC 3986, userinfo with a password. */
export const urlWithCredentials: Recogniser = {
  type: 'URLWithCredentials',
  needs: 'at',
  patterns: [
    {
      source: String.raw`\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[A-Za-z0-9._~%!$&*+;=-]{0,64}:[^\s/:@"'<>]{1,128}@[A-Za-z0-9.-]+(?::\d{2,5})?(?:/[^\s"'<>]*)?`,
    },
  ],
  isValid(value) {
    const password = value.slice(value.indexOf(':', value.indexOf('://') + 3) + 1, value.lastIndexOf('@'))
    return !/^(?:\$\{|\$\(|\{|%s|<|\[|x{3,}|\*+|password$|pass$|pwd$)/i.test(password)
  },
  isChecked: true,
  edges: 'any',
}
