import { InvalidArgumentError } from 'commander'

/** The name of a variable of the server that holds a credential, as a flag gives it. */
export function parseSecretVariable(name: string): string {
  if (/^PONTO_SECRET_[A-Z0-9_]+$/.test(name)) return name
  throw new InvalidArgumentError('The name must begin with PONTO_SECRET_ and go on with A-Z, 0-9 or "_".')
}
