import type { ReactNode } from 'react'

export type Column<T> = {
  readonly title: string
  readonly show: (row: T) => ReactNode
  readonly isNumber?: boolean
}

type Props<T> = {
  readonly label: string
  readonly columns: readonly Column<T>[]
  readonly rows: readonly T[]
  readonly keyOf: (row: T) => string
}

/** A table; on a small screen each row becomes a card, whose lines are named by their columns. */
export function Table<T>({ label, columns, rows, keyOf }: Props<T>) {
  return (
    <div className="table-frame">
      <table aria-label={label}>
        <thead>
          <tr>
            {columns.map(({ title, isNumber }) => (
              <th key={title} scope="col" className={isNumber ? 'number' : ''}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ title, show, isNumber }) => (
                <td key={title} data-label={title} className={isNumber ? 'number' : ''}>
                  {show(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
