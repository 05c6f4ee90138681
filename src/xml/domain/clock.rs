//! `<clock>` and its timers; the `<on_…>` actions; `<pm>` and `<perf>`.

use crate::error::{Error, Result};
use crate::model::constants::PERF_EVENTS;
use crate::xml::Element;
use crate::xml::shape::{Shape, many, one, one_of, shape, text, unsigned, yes_no};

/// `<clock>`.
pub static CLOCK: Shape = shape("clock")
    .attributes(&[text("offset"), text("adjustment"), text("basis"), text("timezone"), text("start")])
    .children(&[many(&TIMER)])
    .after(complete);
static TIMER: Shape = shape("timer")
    .attributes(&[
        one_of("name", &["platform", "pit", "rtc", "hpet", "tsc", "kvmclock", "hypervclock", "armvtimer"])
            .required(),
        yes_no("present"),
        one_of("tickpolicy", &["delay", "catchup", "merge", "discard"]),
        one_of("track", &["boot", "guest", "wall", "realtime"]),
        unsigned("frequency").omit("0"),
        one_of("mode", &["auto", "native", "emulate", "paravirt", "smpsafe"]),
    ])
    .children(&[one(&CATCH_UP)]);
static CATCH_UP: Shape =
    shape("catchup").attributes(&[unsigned("threshold"), unsigned("slew"), unsigned("limit")]).unless_empty();

fn complete(clock: &mut Element) -> Result<()> {
    let offset = clock.attribute("offset").unwrap_or("utc").to_string();
    clock.set("offset", &offset);
    match offset.as_str() {
        "utc" | "localtime" => settle_adjustment(clock, &offset)?,
        "variable" => settle_basis(clock)?,
        "timezone" if clock.attribute("timezone").is_none() => {
            return Err(Error::internal("missing 'timezone' attribute for clock with offset='timezone'"));
        }
        "absolute" if number(clock, "start").is_none() => {
            return Err(Error::internal("missing 'start' attribute for clock with offset='absolute'"));
        }
        "timezone" | "absolute" => {}
        _ => {
            return Err(Error::unsupported_configuration(format!("unknown clock offset '{offset}'")));
        }
    }
    let keeps: &[&str] = match clock.attribute("offset") {
        Some("variable") => &["offset", "adjustment", "basis"],
        Some("timezone") => &["offset", "timezone"],
        Some("absolute") => &["offset", "start"],
        _ => &["offset", "adjustment"],
    };
    clock.attributes.retain(|(name, _)| keeps.contains(&name.as_str()));
    Ok(())
}

fn number(clock: &Element, name: &str) -> Option<i64> {
    clock.attribute(name)?.parse().ok()
}

/// A clock that follows the host's with an adjustment is one that varies.
fn settle_adjustment(clock: &mut Element, offset: &str) -> Result<()> {
    clock.unset("basis");
    let Some(adjustment) = clock.attribute("adjustment").map(str::to_string) else {
        return Ok(());
    };
    if adjustment != "reset" {
        let number = number(clock, "adjustment")
            .ok_or_else(|| Error::xml(format!("unknown clock adjustment '{adjustment}'")))?;
        clock.set("offset", "variable");
        clock.set("adjustment", number);
        clock.set("basis", offset);
    }
    Ok(())
}

fn settle_basis(clock: &mut Element) -> Result<()> {
    let adjustment = number(clock, "adjustment").unwrap_or(0);
    clock.set("adjustment", adjustment);
    match clock.attribute("basis") {
        Some("utc" | "localtime") => Ok(()),
        Some(basis) => Err(Error::unsupported_configuration(format!("unknown clock basis '{basis}'"))),
        None => {
            clock.set("basis", "utc");
            Ok(())
        }
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $constant:ident = $name:literal, $words:expr;)*) => {
        $($(#[$doc])* pub static $constant: Shape = shape($name).with_text().after(|action| check_action(action, $words));)*
    };
}
actions! {
    /// `<on_poweroff>`.
    ON_POWEROFF = "on_poweroff", LIFECYCLE;
    /// `<on_reboot>`.
    ON_REBOOT = "on_reboot", LIFECYCLE;
    /// `<on_crash>`.
    ON_CRASH = "on_crash", CRASH;
    /// `<on_lockfailure>`.
    ON_LOCKFAILURE = "on_lockfailure", LOCK_FAILURE;
}
const LIFECYCLE: &[&str] = &["destroy", "restart", "rename-restart", "preserve"];
const CRASH: &[&str] =
    &["destroy", "restart", "rename-restart", "preserve", "coredump-destroy", "coredump-restart"];
const LOCK_FAILURE: &[&str] = &["poweroff", "restart", "pause", "ignore"];

fn check_action(action: &mut Element, words: &[&str]) -> Result<()> {
    let text = action.text();
    if words.contains(&text.trim()) {
        action.set_text(text.trim().to_string());
        return Ok(());
    }
    Err(Error::unsupported_configuration(format!("unknown {} action: {text}", action.name)))
}

/// `<pm>`.
pub static POWER_MANAGEMENT: Shape =
    shape("pm").children(&[one(&SUSPEND_TO_MEMORY), one(&SUSPEND_TO_DISK)]).unless_empty();
static SUSPEND_TO_MEMORY: Shape = shape("suspend-to-mem").attributes(&[yes_no("enabled")]).unless_empty();
static SUSPEND_TO_DISK: Shape = shape("suspend-to-disk").attributes(&[yes_no("enabled")]).unless_empty();

/// `<perf>`.
pub static PERF: Shape = shape("perf").children(&[many(&EVENT)]).unless_empty();
static EVENT: Shape =
    shape("event").attributes(&[one_of("name", &PERF_EVENTS), yes_no("enabled").required()]);
