//! Guests that are protected from their host, and what only some hypervisors have: domlaunchsecinfo,
//! domsetlaunchsecstate, domdisplay-reload, dom-fd-associate, lxc-enter-namespace.

use super::lookup;
use crate::commands::descriptors::descriptors;
use crate::commands::{files, parameters};
use crate::error::{Error, ErrorCode, ErrorOrigin};
use crate::model::TypedParam;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("dom-fd-associate", Group::Domain, associate_descriptors)
        .about(
            "hand open files to a domain's definition",
            "Gives a group of open file descriptors a name that disks in the definition refer to.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("name", "the name of the group").required(),
            Opt::text("pass-fds", "the descriptors, N,M,...").required(),
            Opt::flag("seclabel-writable", "label them so that the guest may write"),
            Opt::flag("seclabel-restore", "give back their labels afterwards"),
        ])
        .writes(),
    Command::new("domdisplay-reload", Group::Domain, reload_display)
        .about(
            "read a display's certificates anew",
            "Has a graphical display use certificates that were renewed.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::number("type", "the kind of display by its number; any if not given"),
        ])
        .writes(),
    Command::new("domlaunchsecinfo", Group::Domain, launch_security)
        .answers("{*: any}")
        .about(
            "show how a guest's memory is protected",
            "Shows the measurement and the policy of a guest whose memory is encrypted.",
        )
        .options(&[Opt::domain(Complete::Domain)]),
    Command::new("domsetlaunchsecstate", Group::Domain, set_launch_security)
        .about(
            "give a protected guest its secret",
            "Puts an encrypted secret into the memory of a guest that has been measured.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("secrethdr", "a file with the secret's header").complete(Complete::File),
            Opt::text("secret", "a file with the secret").complete(Complete::File),
            Opt::number("set-address", "where in the guest's memory to put it").tolerated_by_place(),
        ])
        .writes(),
    Command::new("lxc-enter-namespace", Group::Domain, enter_namespace)
        .about("run a command inside a container", "Runs a command in the namespaces of an LXC container.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::flag("noseclabel", "keep the security label of this process"),
            Opt::rest("cmd", "the command and its arguments").required(),
        ])
        .writes(),
];

/// No transport of ours carries open files; that is said by name.
fn associate_descriptors(session: &mut Session, args: &Args) -> Result<()> {
    lookup::domain(session.connection()?, args)?;
    args.required("name")?;
    if descriptors(args)?.is_empty() {
        let message = "nfds in virDomainFDAssociate must not be zero".to_string();
        return Err(Error { code: ErrorCode::INVALID_ARGUMENT, origin: ErrorOrigin::DOMAIN, message }.into());
    }
    Err(Error::unsupported("virDomainFDAssociate").into())
}

/// No driver of ours has containers.
fn enter_namespace(session: &mut Session, args: &Args) -> Result<()> {
    lookup::domain(session.connection()?, args)?;
    let function = "virDomainLxcOpenNamespace";
    Err(match session.settings.read_only {
        true => Error::read_only(function),
        false => Error::unsupported(function),
    }
    .into())
}

fn reload_display(session: &mut Session, args: &Args) -> Result<()> {
    let kind = args.number::<u32>("type")?.unwrap_or(DOMAIN_GRAPHICS_RELOAD_TYPE_ANY);
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    Ok(connection.domains().graphics_reload(&domain, kind, 0)?)
}

fn launch_security(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let answer = connection.domains().launch_security_info(&domain, TYPED_PARAM_STRING_OKAY);
    let params = answer.context("Unable to get launch security parameters")?;
    let text: String = params.iter().map(|param| format!("{:<15}: {}\n", param.name, param.value)).collect();
    session.show(&parameters::object(&params), |session| session.print(text))
}

fn set_launch_security(session: &mut Session, args: &Args) -> Result<()> {
    lookup::domain(session.connection()?, args)?;
    let (Some(header), Some(secret)) = (args.text("secrethdr")?, args.text("secret")?) else {
        bail!("Both secret and the secret header are required");
    };
    let mut params = vec![
        TypedParam::new("sev-secret-header", files::read(header)?),
        TypedParam::new("sev-secret", files::read(secret)?),
    ];
    if let Some(address) = args.number::<u64>("set-address")? {
        params.push(TypedParam::new("sev-secret-set-address", address));
    }
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    Ok(connection.domains().set_launch_security_state(&domain, &params, 0)?)
}
