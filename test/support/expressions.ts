import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'

const deploy = resolve(import.meta.dir, '../../deploy')
const read = (path: string) => readFileSync(join(deploy, path), 'utf8')

/** Every expression of the dashboard, the alerts and the rules, with where it is. */
export function listExpressions(): [where: string, expression: string][] {
  const found: [string, string][] = []
  for (const { title, targets = [] } of JSON.parse(read('grafana/ponto.json')).panels) {
    for (const { expr } of targets) found.push([`panel ${title}`, expr])
  }
  for (const file of ['alerts.yml', 'azure-rules.yml']) {
    for (const { rules } of parse(read(`prometheus/${file}`)).groups) {
      for (const { alert, record, expr } of rules) found.push([`${file} ${alert ?? record}`, expr.trim()])
    }
  }
  return found
}
