//! backup-begin, backup-dumpxml: backups of running domains.

use crate::commands::document::{self, WRAP, XPATH};
use crate::commands::domain::lookup;
use crate::commands::files;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::report::Silent;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::Result;

/// The rows of each file.
pub const COMMANDS: &[&[Command]] = &[ROWS];

/// The rows of this file.
const ROWS: &[Command] = &[
    Command::new("backup-begin", Group::Backup, backup_begin)
        .about("back a running domain up", "Starts a full or incremental backup of a running domain's disks, and a checkpoint along with it if wanted.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::text("backupxml", "file with the description of the backup").positional().complete(Complete::File),
            Opt::text("checkpointxml", "file with the description of a checkpoint to make along").tolerated_by_place().complete(Complete::File),
            Opt::flag("reuse-external", "the destination files are there already; use them"),
        ])
        .writes(),
    Command::new("backup-dumpxml", Group::Backup, backup_dumpxml)
.answers(shape::XML)
        .about("show the XML of a running backup", "Prints what is known of the backup that runs.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            XPATH,
            WRAP,
        ]),
];

fn backup_begin(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(&[("reuse-external", DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL)]);
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let backup = match args.text("backupxml")? {
        Some(file) => files::read(file)?,
        None => "<domainbackup/>".to_string(),
    };
    let checkpoint = args.text("checkpointxml")?.map(files::read).transpose()?;
    connection.domains().backup_begin(&domain, &backup, checkpoint.as_deref(), flags)?;
    session.print_extra("Backup started\n");
    Ok(())
}

fn backup_dumpxml(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    if args.get("xpath") == Some("") {
        return Err(Silent.into());
    }
    let xml = connection.domains().backup_xml(&domain, 0)?;
    document::show(session, args, &xml)
}
