/** The Grafana dashboard: `deploy/grafana/ponto.json`. */

type Panel = {
  readonly title: string
  readonly unit: string
  /** Expressions and what their lines are called. */
  readonly lines: readonly (readonly [expression: string, legend: string])[]
  readonly kind?: 'timeseries' | 'stat'
  /** Of 24. */
  readonly width?: number
  readonly isStacked?: boolean
}

const chosen = 'resource=~"$resource",deployment=~"$deployment"'
const rate = (metric: string, more = '') => `rate(${metric}{${chosen}${more}}[$__rate_interval])`
const by = (labels: string, metric: string, more = '') => `sum by (${labels}) (${rate(metric, more)})`
const quantile = (q: number, metric: string, labels = 'deployment', more = '') =>
  `histogram_quantile(${q}, ${by(`le, ${labels}`, `${metric}_bucket`, more)})`
const backendsOf = (metric: string) => `rate(${metric}{${chosen}}[$__rate_interval])`

const rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[] = [
  {
    title: 'At a glance',
    panels: [
      stat('Requests', 'reqps', `sum(${rate('ponto_requests_total')})`),
      stat('Running', 'none', `sum(ponto_requests_running{${chosen}})`),
      stat(
        'Failed by the server',
        'percentunit',
        `sum(${rate('ponto_requests_total', ',status=~"5.."')}) / sum(${rate('ponto_requests_total')})`,
      ),
      stat(
        'Refused by limits',
        'percentunit',
        `sum(${rate('ponto_requests_total', ',status="429"')}) / sum(${rate('ponto_requests_total')})`,
      ),
      stat(
        'First token, 95 %',
        's',
        `histogram_quantile(0.95, ${by('le', 'ponto_first_token_duration_seconds_bucket')})`,
      ),
      stat('Tokens a minute', 'short', `60 * sum(${rate('ponto_tokens_total', ',kind=~"prompt|completion"')})`),
    ],
  },
  {
    title: 'Requests',
    panels: [
      { title: 'By deployment', unit: 'reqps', lines: [[by('deployment', 'ponto_requests_total'), '{{deployment}}']] },
      {
        title: 'By status',
        unit: 'reqps',
        lines: [[by('status', 'ponto_requests_total'), '{{status}}']],
        isStacked: true,
      },
      {
        title: 'Why they ended badly',
        unit: 'reqps',
        lines: [[by('code', 'ponto_requests_total', ',code!=""'), '{{code}}']],
        isStacked: true,
      },
      {
        title: 'Running',
        unit: 'none',
        lines: [[`sum by (deployment) (ponto_requests_running{${chosen}})`, '{{deployment}}']],
      },
    ],
  },
  {
    title: 'Times',
    panels: [
      {
        title: 'Whole request',
        unit: 's',
        lines: [
          [quantile(0.5, 'ponto_request_duration_seconds', 'deployment', ',code=""'), '{{deployment}} 50 %'],
          [quantile(0.95, 'ponto_request_duration_seconds', 'deployment', ',code=""'), '{{deployment}} 95 %'],
        ],
      },
      {
        title: 'First token',
        unit: 's',
        lines: [
          [quantile(0.5, 'ponto_first_token_duration_seconds'), '{{deployment}} 50 %'],
          [quantile(0.95, 'ponto_first_token_duration_seconds'), '{{deployment}} 95 %'],
        ],
      },
      {
        title: 'Between tokens, 50 %',
        unit: 's',
        lines: [[quantile(0.5, 'ponto_between_tokens_duration_seconds'), '{{deployment}}']],
      },
      {
        title: 'Until a backend answers, and waiting for a slot, 95 %',
        unit: 's',
        lines: [
          [quantile(0.95, 'ponto_upstream_duration_seconds'), '{{deployment}} backend'],
          [quantile(0.95, 'ponto_queue_duration_seconds'), '{{deployment}} waiting'],
        ],
      },
    ],
  },
  {
    title: 'Tokens and limits',
    panels: [
      {
        title: 'Tokens a minute',
        unit: 'short',
        lines: [[`60 * ${by('deployment, kind', 'ponto_tokens_total')}`, '{{deployment}} {{kind}}']],
      },
      {
        title: 'Share of limits that is taken',
        unit: 'percentunit',
        lines: [
          [
            `ponto_limit_used{${chosen}} / ponto_limit_capacity{${chosen}}`,
            '{{deployment}} {{owner}} {{measure}} {{window_seconds}}',
          ],
        ],
      },
      {
        title: 'Refusals by rule',
        unit: 'reqps',
        lines: [[by('deployment, owner, measure', 'ponto_rate_limited_total'), '{{deployment}} {{owner}} {{measure}}']],
        isStacked: true,
      },
      {
        title: 'Answered by another deployment',
        unit: 'reqps',
        lines: [[by('deployment', 'ponto_requests_total', ',spillover="true"'), 'by {{deployment}}']],
      },
    ],
  },
  {
    title: 'Backends',
    panels: [
      {
        title: 'Requests by outcome',
        unit: 'reqps',
        lines: [[`sum by (backend, code) (${backendsOf('ponto_backend_attempts_total')})`, '{{backend}} {{code}}']],
      },
      {
        title: 'Until they answer, 95 %',
        unit: 's',
        lines: [
          [
            `histogram_quantile(0.95, sum by (le, backend) (${backendsOf('ponto_backend_duration_seconds_bucket')}))`,
            '{{backend}}',
          ],
        ],
      },
      {
        title: 'Left alone',
        unit: 'none',
        lines: [['max by (backend) (ponto_backend_breaker{state="open"})', '{{backend}}']],
      },
      {
        title: 'Engines',
        unit: 'none',
        lines: [
          ['ponto_engine_state == 1', '{{model}} {{state}}'],
          ['ponto_engine_requests', '{{model}} {{state}}'],
        ],
      },
    ],
  },
  {
    title: 'Content filters',
    panels: [
      {
        title: 'Kept back',
        unit: 'reqps',
        lines: [
          [by('source, category', 'ponto_filter_findings_total', ',action="filtered"'), '{{source}} {{category}}'],
        ],
        isStacked: true,
        width: 12,
      },
      {
        title: 'Annotated, and filters that could not run',
        unit: 'reqps',
        lines: [
          [
            by('source, category, severity', 'ponto_filter_findings_total', ',action="annotated"'),
            '{{source}} {{category}} {{severity}}',
          ],
          [by('deployment', 'ponto_filter_errors_total'), 'could not run: {{deployment}}'],
        ],
        width: 12,
      },
    ],
  },
  {
    title: 'Batches and files',
    panels: [
      { title: 'Batches', unit: 'none', lines: [['max by (status) (ponto_batches)', '{{status}}']] },
      { title: 'Lines that wait', unit: 'none', lines: [['max(ponto_batch_lines_waiting)', 'lines']] },
      {
        title: 'Lines answered',
        unit: 'reqps',
        lines: [[by('deployment', 'ponto_requests_total', ',batch="true"'), '{{deployment}}']],
      },
      { title: 'Files', unit: 'bytes', lines: [['max(ponto_files_size_bytes)', 'size']] },
    ],
  },
  {
    title: 'Server',
    panels: [
      {
        title: 'Processor',
        unit: 'percentunit',
        lines: [['rate(process_cpu_seconds_total{job="ponto"}[$__rate_interval])', '{{instance}}']],
      },
      { title: 'Memory', unit: 'bytes', lines: [['process_resident_memory_bytes{job="ponto"}', '{{instance}}']] },
      {
        title: 'Work waited for its turn at most',
        unit: 's',
        lines: [['ponto_event_loop_delay_seconds', '{{instance}}']],
      },
      {
        title: 'Kept for later, and lost',
        unit: 'none',
        lines: [
          ['ponto_usage_waiting', 'usage that waits {{instance}}'],
          ['ponto_request_log_waiting', 'request log that waits {{instance}}'],
          [
            'increase(ponto_request_log_records_total{outcome="lost"}[$__rate_interval])',
            'request log lost {{instance}}',
          ],
          [
            'increase(ponto_otlp_exports_total{outcome!="sent"}[$__rate_interval])',
            '{{signal}} {{outcome}} {{instance}}',
          ],
        ],
      },
    ],
  },
]

function stat(title: string, unit: string, expression: string): Panel {
  return { title, unit, lines: [[expression, '']], kind: 'stat', width: 4 }
}

const datasource = { type: 'prometheus', uid: '$datasource' }
const columns = 24
const heights = { stat: 4, timeseries: 8 }

export function renderDashboard(): string {
  const panels: object[] = []
  let y = 0
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: columns, h: 1 },
      panels: [],
    })
    y++
    let x = 0
    for (const panel of row.panels) {
      const { kind = 'timeseries', width = 12 } = panel
      const height = heights[kind]
      if (x + width > columns) {
        x = 0
        y += height
      }
      panels.push(writePanel(panel, panels.length + 1, { x, y, w: width, h: height }))
      x += width
    }
    y += heights[row.panels[0]?.kind ?? 'timeseries']
  }
  const dashboard = {
    title: 'Ponto',
    uid: 'ponto',
    tags: ['ponto', 'llm'],
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
        variable('resource', 'label_values(ponto_requests_total, resource)'),
        variable('deployment', 'label_values(ponto_requests_total{resource=~"$resource"}, deployment)'),
      ],
    },
    panels,
  }
  return `${JSON.stringify(dashboard, null, 2)}\n`
}

/** `.*` also finds series without the label, as those of a server with one resource are. */
function variable(name: string, query: string): object {
  return {
    name,
    type: 'query',
    datasource,
    query: { query, refId: name },
    refresh: 2,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  }
}

function writePanel(
  { title, unit, lines, kind = 'timeseries', isStacked }: Panel,
  id: number,
  gridPos: object,
): object {
  return {
    id,
    type: kind,
    title,
    datasource,
    gridPos,
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        custom: kind === 'stat' ? {} : { fillOpacity: 10, ...(isStacked && { stacking: { mode: 'normal' } }) },
      },
      overrides: [],
    },
    options:
      kind === 'stat'
        ? { reduceOptions: { calcs: ['lastNotNull'] } }
        : { legend: { displayMode: 'list', placement: 'bottom' } },
    targets: lines.map(([expr, legendFormat], i) => ({
      refId: String.fromCharCode(65 + i),
      datasource,
      expr,
      legendFormat,
    })),
  }
}
