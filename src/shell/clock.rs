//! Moments as people write them: in this machine's zone, or in UTC.
#![allow(unsafe_code)] // the one place that asks the C library for the local zone

use nix::libc;

/// A moment, split into the parts of a date and a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// The year, such as 2026.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// 0 to 23.
    pub hour: i64,
    /// 0 to 59.
    pub minute: i64,
    /// 0 to 59.
    pub second: i64,
    /// How far the zone is ahead of UTC, in seconds.
    pub offset: i64,
}

impl Moment {
    /// The moment so many seconds after the beginning of 1970, in UTC.
    pub fn utc(seconds: i64) -> Moment {
        Moment::shifted(seconds, 0)
    }

    /// The same in this machine's zone, or in UTC if that is not known.
    pub fn local(seconds: i64) -> Moment {
        Moment::shifted(seconds, local_offset(seconds))
    }

    fn shifted(seconds: i64, offset: i64) -> Moment {
        let seconds = seconds.saturating_add(offset);
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // Days are counted from the first of March of the year 0, so that leap days come last in their years.
        let days = days + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        Moment {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            offset,
        }
    }

    /// `+0100`
    pub fn zone(&self) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.abs() / 60;
        format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
    }
}

impl std::fmt::Display for Moment {
    /// `2026-11-23 20:15:00`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02} ", self.year, self.month, self.day)?;
        write!(f, "{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }
}

/// How far this machine's zone is ahead of UTC at a moment.
fn local_offset(seconds: i64) -> i64 {
    let moment: libc::time_t = seconds;
    let mut parts = std::mem::MaybeUninit::<libc::tm>::uninit();
    // SAFETY: both pointers are valid for the call, and the answer is the second one, filled in, or null.
    let filled = unsafe { libc::localtime_r(&moment, parts.as_mut_ptr()) };
    if filled.is_null() {
        return 0;
    }
    // SAFETY: the call succeeded, so every field was written.
    let parts = unsafe { parts.assume_init() };
    parts.tm_gmtoff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right_around_leap_days() {
        let shown = |seconds| Moment::utc(seconds).to_string();
        assert_eq!(shown(627_319_920), "1989-11-17 15:32:00");
        assert_eq!(shown(0), "1970-01-01 00:00:00");
        assert_eq!(shown(951_782_400), "2000-02-29 00:00:00");
        assert_eq!(shown(-1), "1969-12-31 23:59:59");
    }

    #[test]
    fn zones_have_four_digits() {
        let zone = |offset| Moment::shifted(0, offset).zone();
        assert_eq!(
            (zone(3600), zone(-12_600), zone(0)),
            ("+0100".into(), "-0330".into(), "+0000".into())
        );
        assert_eq!(Moment::shifted(0, 3600).to_string(), "1970-01-01 01:00:00");
    }
}
