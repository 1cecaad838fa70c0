/**
 * What a browser asks the portal for, beside the management API. All of it needs the host to be the server's own and, from a page, its origin.
 * A session is the cookie that signing in sets; with it the management API is open too, to requests that bring `x-ponto-portal: 1`.
 *
 * POST   /portal/session          SignIn -> 201 SessionView, with the cookie
 * GET    /portal/session          -> SessionView; 401 when nobody is signed in
 * DELETE /portal/session          -> 204; ends it
 * POST   /portal/session/confirm  SignIn -> SessionView; secrets may be seen and made for five minutes
 * DELETE /portal/sessions         -> 204; ends all sessions of this server, and every link
 * POST   /portal/chat             a chat as the OpenAI v1 surface takes it -> its answer, with a key of the server's own resource that the browser never sees
 * GET    /portal/authority.pem    -> the certificate of the local authority, to be trusted; 404 where the operator has a certificate of their own
 *
 * Errors: ErrorBody of the management API. `ConfirmationRequired` (403) asks for `/portal/session/confirm`, `SessionEnded` (401) for a new session.
 */

/** One of both: the management credential, or the code of a link that `ponto up` or `ponto portal` printed. */
export type SignIn = { readonly credential: string } | { readonly code: string }

export type SessionView = {
  readonly name: string
  /** ISO 8601. */
  readonly expiresAt: string
  readonly confirmedUntil: string
  readonly version: string
  /** Whether clients have to be told to trust the certificate. */
  readonly hasLocalAuthority: boolean
}

/** `POST /management/portal/token`: of a link `/portal/#code=<secret>`, good once and until then. */
export type PortalLinkView = { readonly secret: string; readonly expiresAt: string }
