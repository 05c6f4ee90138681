//! Times as people read them: in the zone of whoever asks.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::time::SystemTime;

/// `2026-11-23 20:15:00`
pub const DATE_AND_TIME: &str = "%Y-%m-%d %H:%M:%S";

/// A time in the local zone, in strftime's words.
pub fn local(time: SystemTime, form: &str) -> String {
    match Timestamp::try_from(time) {
        Ok(time) => time.to_zoned_datetime(TimeZone::system()).strftime(form).to_string(),
        Err(_) => String::new(),
    }
}

/// Seconds since 1970 in the local zone, in strftime's words.
pub fn local_seconds(seconds: i64, form: &str) -> String {
    match Timestamp::from_second(seconds) {
        Ok(time) => time.to_zoned_datetime(TimeZone::system()).strftime(form).to_string(),
        Err(_) => String::new(),
    }
}

/// Seconds since 1970 in UTC, as [`DATE_AND_TIME`].
pub fn utc_seconds(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map_or_else(|_| String::new(), |time| time.strftime(DATE_AND_TIME).to_string())
}

/// The present with milliseconds, in UTC, as events are stamped.
pub fn stamp() -> String {
    Timestamp::now().strftime("%Y-%m-%d %H:%M:%S%.3f+0000").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_have_milliseconds() {
        let stamp = stamp();
        assert_eq!(stamp.len(), "2026-11-23 20:36:29.398+0000".len(), "{stamp}");
    }
}
