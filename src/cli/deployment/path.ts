/** A deployment below `/management/`. */
export function pathOf(name: string): string {
  return `deployments/${encodeURIComponent(name)}`
}
