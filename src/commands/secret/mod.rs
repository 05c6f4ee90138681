//! Commands about secrets, the passwords and keys that domains and volumes need.

mod base64;
mod definition;
mod events;
mod value;

use crate::backend::Connection;
use crate::error::Error;
use crate::model::SecretRef;
use crate::shell::args::Args;
use crate::shell::spec::{Command, Complete, Opt};
use anyhow::{Context, Result};
use uuid::Uuid;

/// The rows of each file.
pub const COMMANDS: &[&[Command]] = &[definition::COMMANDS, events::COMMANDS, value::COMMANDS];

/// The operand that most commands on secrets begin with.
const SECRET: Opt = Opt::text("secret", "a secret by its uuid").required().complete(Complete::Secret);

/// The secret that the option `secret` names by its uuid.
fn secret(connection: &dyn Connection, args: &Args) -> Result<SecretRef> {
    let text = args.required("secret")?;
    let failed = || format!("failed to get secret '{text}'");
    let Ok(uuid) = Uuid::try_parse(text) else {
        let refusal = "uuidstr in virSecretLookupByUUIDString must be a valid UUID";
        return Err(anyhow::anyhow!(refusal).context(failed()));
    };
    let answer: Result<SecretRef, Error> = connection.secrets().lookup_by_uuid(uuid);
    answer.with_context(failed)
}
