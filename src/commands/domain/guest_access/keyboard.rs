//! send-key, inject-nmi, send-process-signal: what a person would do at the machine itself.

use super::key_names;
use crate::commands::domain::lookup;
use crate::commands::vocabulary;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("send-key", Group::Domain, send_key)
        .about("press keys", "Presses keys of a guest's keyboard together and lets them go.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::text("codeset", "which table the codes come from (default linux)")
                .complete(Complete::Words(CODE_SET_NAMES)),
            Opt::number("holdtime", "how long the keys stay down, in milliseconds"),
            Opt::rest("keycode", "names or numbers of the keys, pressed together")
                .required()
                .complete(Complete::Key),
        ])
        .writes(),
    Command::new("inject-nmi", Group::Domain, inject_nmi)
        .about("send a non-maskable interrupt", "Sends a non-maskable interrupt to the guest.")
        .options(&[Opt::domain(Complete::ActiveDomain)])
        .writes(),
    Command::new("send-process-signal", Group::Domain, send_process_signal)
        .about(
            "send a signal to a process in the guest",
            "Sends a signal to a process inside the guest, for drivers that can see its processes.",
        )
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::text("pid", "id of the process in the guest").required(),
            Opt::text("signame", "name or number of the signal")
                .required()
                .complete(Complete::Words(SIGNALS)),
        ])
        .writes(),
];

/// Names of the code sets; the last is an older name.
const CODE_SETS: &[(&str, u32)] = &[
    ("linux", KEYCODE_SET_LINUX),
    ("xt", KEYCODE_SET_XT),
    ("atset1", KEYCODE_SET_ATSET1),
    ("atset2", KEYCODE_SET_ATSET2),
    ("atset3", KEYCODE_SET_ATSET3),
    ("os_x", KEYCODE_SET_OSX),
    ("xt_kbd", KEYCODE_SET_XT_KBD),
    ("usb", KEYCODE_SET_USB),
    ("win32", KEYCODE_SET_WIN32),
    ("qnum", KEYCODE_SET_QNUM),
    ("rfb", KEYCODE_SET_QNUM),
];

const CODE_SET_NAMES: &[&str] = &vocabulary::names::<_, { CODE_SETS.len() - 1 }>(CODE_SETS);

/// Keys that can be pressed at once.
const KEYS_MAX: usize = 16;

/// The names of the keys in a code set; sets without names are given by those of Linux.
pub fn keys(set: Option<&str>) -> impl Iterator<Item = &'static str> {
    let set = CODE_SETS.iter().find(|(name, _)| Some(*name) == set);
    key_names::all(set.map_or(KEYCODE_SET_LINUX, |(_, number)| *number))
}

fn send_key(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    // No name at all is the usual set, too.
    let set = args.get("codeset").filter(|set| !set.is_empty()).unwrap_or("linux");
    let hold = args.number::<u32>("holdtime")?.unwrap_or_default();
    let Some(&(_, set)) = CODE_SETS.iter().find(|(name, _)| *name == set) else {
        bail!("unknown codeset: '{set}'");
    };
    let mut codes = Vec::new();
    for key in args.all("keycode") {
        if codes.len() == KEYS_MAX {
            bail!("too many keycodes");
        }
        match code(set, key) {
            Some(code) => codes.push(code),
            None => bail!("invalid keycode: '{key}'"),
        }
    }
    Ok(connection.domains().send_key(&domain, set, hold, &codes, 0)?)
}

/// A key by its number, in C's forms, or by its name in the code set.
fn code(set: u32, key: &str) -> Option<u32> {
    let number = match key.strip_prefix("0x").or_else(|| key.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None if key.len() > 1 && key.starts_with('0') => u32::from_str_radix(key, 8).ok(),
        None => key.parse().ok(),
    };
    match number {
        Some(number) => (number <= 0xffff).then_some(number),
        None => key_names::code(set, key).map(u32::from),
    }
}

fn inject_nmi(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    Ok(connection.domains().inject_nmi(&domain, 0)?)
}

/// By their numbers.
const SIGNALS: &[&str] = &[
    "nop", "hup", "int", "quit", "ill", "trap", "abrt", "bus", "fpe", "kill", "usr1", "segv", "usr2", "pipe",
    "alrm", "term", "stkflt", "chld", "cont", "stop", "tstp", "ttin", "ttou", "urg", "xcpu", "xfsz",
    "vtalrm", "prof", "winch", "poll", "pwr", "sys", "rt0", "rt1", "rt2", "rt3", "rt4", "rt5", "rt6", "rt7",
    "rt8", "rt9", "rt10", "rt11", "rt12", "rt13", "rt14", "rt15", "rt16", "rt17", "rt18", "rt19", "rt20",
    "rt21", "rt22", "rt23", "rt24", "rt25", "rt26", "rt27", "rt28", "rt29", "rt30", "rt31", "rt32",
];
/// The first of the real-time signals, which are called rt0, rt1 and so on.
const RT0: u32 = 32;
const RT_COUNT: u32 = 33;

fn send_process_signal(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let pid = args.number::<i64>("pid")?.unwrap_or_default();
    let name = args.required("signame")?;
    let Some(signal) = signal(name) else {
        bail!("malformed signal name: {name}");
    };
    Ok(connection.domains().send_process_signal(&domain, pid, signal, 0)?)
}

/// A signal by its number or its name, with or without `SIG`, in any case.
fn signal(name: &str) -> Option<u32> {
    if let Ok(number) = name.parse() {
        return Some(number);
    }
    let lower = name.to_ascii_lowercase();
    let lower = lower.strip_prefix("sig_").or_else(|| lower.strip_prefix("sig")).unwrap_or(&lower);
    if let Some(number) = lower.strip_prefix("rt").and_then(|number| number.parse::<u32>().ok()) {
        return (number < RT_COUNT).then_some(RT0 + number);
    }
    SIGNALS.iter().position(|known| *known == lower).map(|place| place as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_by_number_or_name() {
        for (key, wanted) in [("30", 30), ("0x1e", 30), ("036", 30), ("KEY_A", 30)] {
            assert_eq!(code(KEYCODE_SET_LINUX, key), Some(wanted), "{key}");
        }
        for bad in ["70000", "KEY_NOTHING", "", "-1"] {
            assert_eq!(code(KEYCODE_SET_LINUX, bad), None, "{bad}");
        }
        assert_eq!(code(KEYCODE_SET_QNUM, "KEY_A"), None);
    }

    #[test]
    fn signals_go_by_number_or_name() {
        for name in ["SIGTERM", "term", "15", "sig_term"] {
            assert_eq!(signal(name), Some(15), "{name}");
        }
        assert_eq!(signal("rt2"), Some(34));
        assert_eq!(signal("SIGNOTHING"), None);
    }
}
