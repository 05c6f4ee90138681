//! The words for a domain's states and their reasons.

use crate::model::constants::*;

/// What a state is called.
pub fn state(state: i32) -> &'static str {
    match state {
        DOMAIN_RUNNING => "running",
        DOMAIN_BLOCKED => "idle",
        DOMAIN_PAUSED => "paused",
        DOMAIN_SHUTDOWN => "in shutdown",
        DOMAIN_SHUTOFF => "shut off",
        DOMAIN_CRASHED => "crashed",
        DOMAIN_PMSUSPENDED => "pmsuspended",
        _ => "no state",
    }
}

const RUNNING: &[&str] = &[
    "unknown",
    "booted",
    "migrated",
    "restored",
    "from snapshot",
    "unpaused",
    "migration canceled",
    "save canceled",
    "event wakeup",
    "crashed",
    "post-copy",
    "post-copy failed",
];
const PAUSED: &[&str] = &[
    "unknown",
    "user",
    "migrating",
    "saving",
    "dumping",
    "I/O error",
    "watchdog",
    "from snapshot",
    "shutting down",
    "creating snapshot",
    "crashed",
    "starting up",
    "post-copy",
    "post-copy failed",
    "api error",
];
const SHUTDOWN: &[&str] = &["unknown", "user"];
const SHUTOFF: &[&str] = &[
    "unknown",
    "shutdown",
    "destroyed",
    "crashed",
    "migrated",
    "saved",
    "failed",
    "from snapshot",
    "daemon",
];
const CRASHED: &[&str] = &["unknown", "panicked"];

/// What the reason for a state is called.
pub fn reason(state: i32, reason: i32) -> &'static str {
    let words = match state {
        DOMAIN_RUNNING => RUNNING,
        DOMAIN_PAUSED => PAUSED,
        DOMAIN_SHUTDOWN => SHUTDOWN,
        DOMAIN_SHUTOFF => SHUTOFF,
        DOMAIN_CRASHED => CRASHED,
        _ => &[],
    };
    let place = usize::try_from(reason).ok();
    place.and_then(|place| words.get(place)).copied().unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_stands_at_its_number() {
        assert_eq!(reason(DOMAIN_RUNNING, DOMAIN_RUNNING_WAKEUP), "event wakeup");
        assert_eq!(reason(DOMAIN_PAUSED, DOMAIN_PAUSED_STARTING_UP), "starting up");
        assert_eq!(reason(DOMAIN_PAUSED, DOMAIN_PAUSED_API_ERROR), "api error");
        assert_eq!(reason(DOMAIN_SHUTOFF, DOMAIN_SHUTOFF_DAEMON), "daemon");
        assert_eq!(reason(DOMAIN_CRASHED, DOMAIN_CRASHED_PANICKED), "panicked");
        assert_eq!(reason(DOMAIN_RUNNING, 99), "unknown");
    }
}
