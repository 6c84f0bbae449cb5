/** Windows and blackouts of a simulated job's hosts, chosen by chance. */
import type { OpenInterval, WindowMoment } from "#core/Dispatch.ts"
import { type Chance, hours, minutes } from "./Scheduler.ts"

export class JobCalendar {
  private readonly windows: Array<OpenInterval> = []
  private readonly blackouts: Array<{ readonly from: number; readonly until: number }> = []

  constructor(from: number, chance: Chance) {
    let at = from - hours(2) + hours(chance() * 10)
    for (let n = 0; n < 12; n++) {
      const closes_at = at + minutes(20 + chance() * 240)
      this.windows.push({ opens_at: at, closes_at, window_ids: [`w${n}`] })
      at = closes_at + hours(2 + chance() * 16)
    }
    if (chance() < 0.3) {
      const begin = from + hours(chance() * 50)
      this.blackouts.push({ from: begin, until: begin + hours(chance() * 20) })
    }
  }

  momentAt(now: number): WindowMoment {
    const blackout = this.blackouts.find(({ from, until }) => from <= now && now < until)
    const free = this.windows
      .map((window) =>
        this.blackouts.reduce(
          (left, { from, until }) =>
            from <= left.opens_at && until > left.opens_at
              ? { ...left, opens_at: until }
              : from > left.opens_at && from < left.closes_at
                ? { ...left, closes_at: from }
                : left,
          window
        )
      )
      .filter(({ opens_at, closes_at }) => opens_at < closes_at)
    return {
      open: free.find(({ opens_at, closes_at }) => opens_at <= now && now < closes_at) ?? null,
      next: free.find(({ opens_at }) => opens_at > now) ?? null,
      blackout: blackout === undefined ? null : { window_id: "b", until: blackout.until }
    }
  }
}
