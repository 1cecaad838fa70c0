import { createHash } from 'node:crypto'

/**
 * What runs inside the store. Each script is one atomic step and takes its time from the store itself, so that the clocks of the
 * nodes do not matter. All keys of one call are named in KEYS.
 *
 * First arguments of `reserve` and `settle`:
 * 1. milliseconds to take for the time, or empty: a test's virtual time
 * 2. the member that asks (one adapter of one process or thread)
 * 3. when the store was last found empty, 0 for never: counters from before then are unknown, not zero
 * 4. the part of every limit that may be given out, 0 to 1: the rest is withheld for members that fell silent
 */
export type Script = { readonly text: string; readonly sha: string }

function toScript(...parts: readonly string[]): Script {
  const text = parts.join('\n')
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

/** Milliseconds that a member's slots outlive its last sign of life, and after which it no longer counts as live. */
export const memberLifeMs = 15_000
/** Milliseconds after its life for which the share of a silent member is withheld: it may be alive and cut off. */
export const withheldMs = 60_000
/** Milliseconds after its last renewal at which an unspent lease of a leaky counter counts as spent. */
export const leakyLeaseLifeMs = 2_000

const clock = `
local function readClock(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local now = readClock(ARGV[1])
`

/**
 * How a counter of each kind is read (`open`) and written (`save`). Keys live a minute longer than they are needed: a stale one says
 * so by its window number or its time, never by its absence.
 *
 * window: hash { n: window number, used }
 * leaky:  hash { level, at: when it stood there, a:<member>: leased and not yet spent, t:<member>: when that was renewed }
 *         What is leased does not drain; it joins the level when its holder says it was spent, or has been silent too long.
 * slots:  hash { <member>: 'held expiry' }
 */
const counters = `
local member, lostAt, kept = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local spareMs = 60000
local open, save = {}, {}

function open.window(key, limit, span)
  local number = math.floor(now / span)
  local saved = redis.call('HMGET', key, 'n', 'used')
  local last, used = tonumber(saved[1] or -1), 0
  if last >= number then
    -- A clock that goes back a little stays in the window it came from; one that goes back far takes what was used along.
    if last == number + 1 then number = last end
    if last > number then redis.call('HSET', key, 'n', number) end
    used = tonumber(saved[2])
  elseif number * span < lostAt then
    used = limit - math.ceil(limit * math.min(1000, span / 20) / span)
  end
  local c = { kind = 'window', key = key, span = span, number = number, used = used }
  c.limit, c.resetMs = math.floor(limit * kept), span - now % span
  return c
end

function save.window(c)
  redis.call('HSET', c.key, 'n', c.number, 'used', c.used)
  redis.call('PEXPIRE', c.key, c.span + spareMs)
end

function open.leaky(key, limit, span)
  local c = { kind = 'leaky', key = key, limit = limit * kept, drain = span * kept, level = 0, leased = 0, mine = 0, stale = {} }
  local saved = redis.call('HGETALL', key)
  local field = {}
  for i = 1, #saved, 2 do field[saved[i]] = saved[i + 1] end
  local at = tonumber(field.at)
  if at then c.level = tonumber(field.level)
  elseif lostAt > 0 then at = lostAt; c.level = math.max(0, c.limit - c.drain * 1000) end
  if at then c.level = math.max(0, c.level - math.max(0, now - at) * c.drain) end
  c.at = math.max(now, at or now)
  for name, amount in pairs(field) do
    if string.sub(name, 1, 2) == 'a:' then
      local holder = string.sub(name, 3)
      if tonumber(field['t:' .. holder]) + ${leakyLeaseLifeMs} <= now then
        c.level = c.level + tonumber(amount)
        c.stale[#c.stale + 1] = holder
      else
        c.leased = c.leased + tonumber(amount)
        if holder == member then c.mine = tonumber(amount) end
      end
    end
  end
  return c
end

function save.leaky(c)
  redis.call('HSET', c.key, 'level', c.level, 'at', c.at)
  for _, holder in ipairs(c.stale) do redis.call('HDEL', c.key, 'a:' .. holder, 't:' .. holder) end
  if c.mine > 0 then redis.call('HSET', c.key, 'a:' .. member, c.mine, 't:' .. member, now)
  else redis.call('HDEL', c.key, 'a:' .. member, 't:' .. member) end
  redis.call('PEXPIRE', c.key, math.min(86400000, math.ceil((c.level + c.leased) / c.drain)) + spareMs)
end

local function spendLease(c, spent)
  local joins = math.min(spent, c.mine)
  c.mine, c.leased, c.level = c.mine - joins, c.leased - joins, c.level + joins
end

function open.slots(key, limit)
  local c = { kind = 'slots', key = key, limit = limit, used = 0, mine = 0, dead = {} }
  local saved = redis.call('HGETALL', key)
  for i = 1, #saved, 2 do
    local held, expiry = string.match(saved[i + 1], '(%S+) (%S+)')
    if tonumber(expiry) <= now then c.dead[#c.dead + 1] = saved[i]
    else
      c.used = c.used + tonumber(held)
      if saved[i] == member then c.mine = tonumber(held) end
    end
  end
  return c
end

function save.slots(c)
  for _, holder in ipairs(c.dead) do redis.call('HDEL', c.key, holder) end
  if c.mine > 0 then redis.call('HSET', c.key, member, string.format('%d %d', c.mine, now + ${memberLifeMs}))
  else redis.call('HDEL', c.key, member) end
  redis.call('PEXPIRE', c.key, ${memberLifeMs} + spareMs)
end
`

/**
 * Decides all demands of a reservation: charges every one or none.
 * Arguments: 5. `charge` or `read`; then for each key: kind, limit (leaky: depth), windowMs or drainPerMs, cost, what the caller
 * would like to lease on top, what it spent of its leaky lease.
 * Answer: the time; which key refused, from 1, or 0; milliseconds until that one may fit; then for each key: used,
 * resetMs, leased on top, window number.
 */
export const reserveScript = toScript(
  clock,
  counters,
  `
local isRead = ARGV[5] == 'read'
local seen, rows, refusedBy, retryMs = {}, {}, 0, 0

for i, key in ipairs(KEYS) do
  local at = 6 + (i - 1) * 6
  local kind, limit, span, cost = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local c = seen[key]
  if not c then
    c = open[kind](key, limit, span)
    if kind == 'leaky' then spendLease(c, tonumber(ARGV[at + 5])) end
    seen[key] = c
  end
  local row = { c = c, cost = cost, wish = tonumber(ARGV[at + 4]), extra = 0 }
  if kind == 'leaky' then row.before = c.level + c.leased else row.before = c.used end
  rows[i] = row
  if not isRead then
    local fits = kind == 'leaky' and row.before <= c.limit or kind ~= 'leaky' and row.before + cost <= c.limit
    if not fits and refusedBy == 0 then
      refusedBy = i
      if kind == 'window' then retryMs = c.resetMs
      elseif kind == 'leaky' then retryMs = math.min(86400000, math.ceil((row.before - c.limit) / c.drain)) end
    end
    if kind == 'leaky' then c.level = c.level + cost else c.used = c.used + cost end
    if kind == 'slots' then c.mine = c.mine + cost end
  end
end

local isCharged = refusedBy == 0 and not isRead
for _, row in ipairs(rows) do
  local c = row.c
  if isCharged then
    -- A lease never eats into the last tenth: there every request is decided here.
    if c.kind == 'window' then
      row.extra = math.max(0, math.min(row.wish, math.floor(c.limit * 0.9) - c.used))
      c.used = c.used + row.extra
    elseif c.kind == 'leaky' then
      row.extra = math.max(0, math.min(row.wish, math.floor(c.limit * 0.9 - c.level - c.leased)))
      c.mine, c.leased = c.mine + row.extra, c.leased + row.extra
    end
  end
end
if isCharged then for _, c in pairs(seen) do save[c.kind](c) end end

local answer = { now, refusedBy, retryMs }
for _, row in ipairs(rows) do
  local c = row.c
  local used = row.before
  if isCharged then used = c.kind == 'leaky' and c.level + c.leased or c.used end
  local resetMs = 0
  if c.kind == 'window' then resetMs = c.resetMs
  elseif c.kind == 'leaky' then resetMs = math.min(86400000, math.ceil(used / c.drain)) end
  answer[#answer + 1] = string.format('%.17g', used)
  answer[#answer + 1] = resetMs
  answer[#answer + 1] = row.extra
  answer[#answer + 1] = c.number or 0
end
return answer
`,
)

/**
 * Corrects counters. Arguments for each key, after the first four: kind, limit, windowMs or drainPerMs, window number, what is more,
 * what is less, what was spent of the caller's leaky lease, what it gives back of it. Kind `hold` sets the caller's slots to
 * what is more, whatever they were. Answers the time.
 */
export const settleScript = toScript(
  clock,
  counters,
  `
for i, key in ipairs(KEYS) do
  local at = 5 + (i - 1) * 8
  local kind, limit, span = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local number, more, less = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
  local c = open[kind == 'hold' and 'slots' or kind](key, limit, span)
  if kind == 'window' then
    if number == c.number then c.used = math.max(0, c.used + more - less) else c.used = c.used + more end
  elseif kind == 'leaky' then
    spendLease(c, tonumber(ARGV[at + 6]))
    c.mine = math.max(0, c.mine - tonumber(ARGV[at + 7]))
    c.level = math.max(0, c.level + more - less)
  elseif kind == 'slots' then
    c.mine = math.max(0, c.mine - less)
  else
    c.mine = more
  end
  save[c.kind](c)
end
return { now }
`,
)

/**
 * A member's sign of life. KEYS: the members (sorted by last sign), the epoch. Arguments: 1. the time or empty; 2. the member,
 * `<node>:<incarnation>`; 3. a fresh name for the epoch; 4. the epoch the member knows, or empty; 5. `stay` or `leave`.
 * The epoch is the store's identity: a member that knows one and finds none, or another, tells everybody that counters were lost.
 * Answer: the time; the epoch; when the store was found empty or 0; live members; silent ones whose share is withheld; how many
 * live members sort before this one.
 */
export const heartbeatScript = toScript(
  clock,
  `
local members, epochKey, member, fresh, known = KEYS[1], KEYS[2], ARGV[2], ARGV[3], ARGV[4]
local dayMs = 86400000
if ARGV[5] == 'leave' then
  redis.call('ZREM', members, member)
  return { now, known, 0, 0, 0, 0 }
end

local saved = redis.call('HMGET', epochKey, 'name', 'madeAt', 'lostAt')
local name, lostAt = saved[1], tonumber(saved[3] or 0)
if not name then
  name = fresh
  if known ~= '' then lostAt = now end
  redis.call('HSET', epochKey, 'name', name, 'madeAt', now, 'lostAt', lostAt)
elseif known ~= '' and known ~= name and lostAt == 0 then
  lostAt = tonumber(saved[2])
  redis.call('HSET', epochKey, 'lostAt', lostAt)
end
redis.call('PEXPIRE', epochKey, dayMs)

redis.call('ZADD', members, now, member)
redis.call('ZREMRANGEBYSCORE', members, '-inf', now - ${memberLifeMs + withheldMs})
redis.call('PEXPIRE', members, dayMs)
local live, rank, isBack = 0, 0, {}
local function nodeOf(name) return string.match(name, '^(.*):') or name end
for _, other in ipairs(redis.call('ZRANGEBYSCORE', members, '(' .. (now - ${memberLifeMs}), '+inf')) do
  live = live + 1
  if other < member then rank = rank + 1 end
  isBack[nodeOf(other)] = true
end
-- A node that is back under a new incarnation was restarted, not cut off: nothing is withheld for the old one.
local silent = 0
for _, other in ipairs(redis.call('ZRANGEBYSCORE', members, '-inf', now - ${memberLifeMs})) do
  if isBack[nodeOf(other)] then redis.call('ZREM', members, other) else silent = silent + 1 end
end
return { now, name, lostAt, live, silent, rank }
`,
)

export const allScripts: readonly Script[] = [reserveScript, settleScript, heartbeatScript]
