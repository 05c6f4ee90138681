//! console, ttyconsole: the serial console of a guest.

use super::terminal::RawTerminal;
use crate::backend::{Received, Stream};
use crate::commands::domain::{device_tree, lookup};
use crate::error::Error;
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::interrupt::Ending;
use crate::shell::report::Silent;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("console", Group::Domain, console)
        .about("connect to a domain's console", "Connects this terminal to the serial console of a guest until its escape (^] unless -e says otherwise) is typed.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::text("devname", "alias of the console or serial device").tolerated_by_place(),
            Opt::flag("force", "throw out whoever is connected"),
            Opt::flag("resume", "let a paused domain go on once connected"),
            Opt::flag("safe", "only if the driver guards consoles against each other"),
        ])
        .writes(),
    Command::new("ttyconsole", Group::Domain, ttyconsole)
.answers("{tty: text}")
        .about("show the terminal of a domain's console", "Prints the host's terminal device behind the first console.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
        ]),
];

/// How long one side waits before it looks whether the other has ended.
const PATIENCE: Duration = Duration::from_millis(100);

fn console(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let flags = args.flags(&[("force", DOMAIN_CONSOLE_FORCE), ("safe", DOMAIN_CONSOLE_SAFE)]);
    let device = args.text("devname")?;
    attach(session, &domain, device, flags, args.has("resume"))
}

/// Connects this terminal to a guest's console, letting a paused guest go on once it is connected if asked to.
pub fn attach(
    session: &mut Session,
    domain: &DomainRef,
    device: Option<&str>,
    flags: u32,
    resume: bool,
) -> Result<()> {
    let connection = session.handle()?;
    let domains = connection.domains();
    if !domains.is_active(domain)? {
        bail!("The domain is not running");
    }
    if !std::io::stdin().is_terminal() {
        bail!("Cannot run interactive console without a controlling TTY");
    }
    let stream = domains.open_console(domain, device, flags)?;
    let escape = session.settings.escape;
    let key = escape_key(escape);
    // Dropped after the terminal was put back, and only then the process ends that was asked to.
    let ending = Ending::watch()?;
    // What is typed in answer to these lines is the guest's, so the terminal is ready before they are shown; it
    // does not turn line ends into its own any more.
    let terminal = RawTerminal::enter()?;
    let end = if std::io::stdout().is_terminal() { "\r\n" } else { "\n" };
    session.print_extra(format_args!("Connected to domain '{}'{end}", domain.name));
    session.print_extra(format_args!("Escape character is ^{key} (Ctrl + {key}){end}"));
    session.flush();
    if resume {
        domains.resume(domain).with_context(|| format!("Failed to resume domain '{}'", domain.name))?;
    }
    carry(&*stream, terminal, escape, &ending)
}

/// The key that with Ctrl makes a control character.
fn escape_key(escape: u8) -> char {
    char::from((escape & 0x1f) | 0x40).to_ascii_lowercase()
}

/// Carries bytes both ways until the escape is typed or a side ends.
fn carry(stream: &dyn Stream, mut terminal: RawTerminal, escape: u8, ending: &Ending) -> Result<()> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let output = scope.spawn(|| {
            let answer = show_output(stream, &over);
            over.store(true, Ordering::SeqCst);
            answer
        });
        let over_here = || over.load(Ordering::SeqCst) || ending.came();
        let typed = send_input(stream, &mut terminal, escape, &over_here);
        let left_by_escape = !over.swap(true, Ordering::SeqCst);
        let shown = match output.join() {
            Ok(shown) => shown,
            Err(_) => Err(Error::internal("the console's reader broke off")),
        };
        drop(terminal);
        typed?;
        shown?;
        if left_by_escape {
            stream.abort();
            Ok(())
        } else {
            // The far end closed the console in order.
            Ok(stream.finish()?)
        }
    })
}

/// What is typed goes to the guest; answers when the escape was typed or input ended.
fn send_input(
    stream: &dyn Stream,
    terminal: &mut RawTerminal,
    escape: u8,
    over: &dyn Fn() -> bool,
) -> Result<()> {
    while !over() {
        let Some(bytes) = terminal.read(PATIENCE)? else {
            return Ok(());
        };
        let end = bytes.iter().position(|&byte| byte == escape);
        let typed = &bytes[..end.unwrap_or(bytes.len())];
        if !typed.is_empty() {
            stream.send(typed)?;
        }
        if end.is_some() {
            return Ok(());
        }
    }
    Ok(())
}

/// What the guest says goes to the terminal as it comes.
fn show_output(stream: &dyn Stream, over: &AtomicBool) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    while !over.load(Ordering::SeqCst) {
        match stream.receive(Some(PATIENCE))? {
            Received::Data(bytes) => {
                let written = out.write_all(&bytes).and_then(|()| out.flush());
                written.map_err(|cause| Error::system("unable to write to terminal", &cause))?;
            }
            Received::Hole(_) | Received::Nothing => {}
            Received::End => return Ok(()),
        }
    }
    Ok(())
}

fn ttyconsole(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let tree = device_tree::tree(&*connection, &domain, 0)?;
    match tree.child_attribute("devices/console", "tty") {
        Some(tty) => session.value("tty", tty),
        // virsh fails without a word here.
        None => Err(Silent.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_escape_is_named_by_its_key() {
        assert_eq!((escape_key(0x1d), escape_key(1)), (']', 'a'));
    }
}
