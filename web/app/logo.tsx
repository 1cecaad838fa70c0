export function Logo() {
  return (
    <svg viewBox="0 0 32 32" className="logo" aria-hidden="true">
      <rect width="32" height="32" rx="8" className="logo-ground" />
      <circle cx="16" cy="16" r="6.5" className="logo-dot" />
      <circle cx="25" cy="7" r="3" className="logo-spark" />
    </svg>
  )
}
