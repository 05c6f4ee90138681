//! Lists of open files, named by their numbers: `--pass-fds N,M,…`.

use crate::shell::args::Args;
use anyhow::{Result, anyhow};

/// The numbers that `--pass-fds` names; none if it is empty or was not given.
pub fn descriptors(args: &Args) -> Result<Vec<i32>> {
    let list = args.get("pass-fds").unwrap_or_default();
    let numbers = list.split(',').filter(|_| !list.is_empty());
    let read = |number: &str| number.parse().map_err(|_| anyhow!("Unable to parse FD number '{number}'"));
    numbers.map(read).collect()
}
