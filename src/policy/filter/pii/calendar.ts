/** Whether a date of birth could be that day. Years have four digits; months and days count from 1. */
export function isBirthDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1 || year < 1900 || year > 2099) return false
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

/** Whether a day of a year whose century is not known exists: the leap day counts in every fourth. */
export function isDayOfYear(yearOfCentury: number, month: number, day: number): boolean {
  return isBirthDay(2000 + yearOfCentury, month, day)
}
