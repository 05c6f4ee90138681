//! The shell's door.

use std::process::ExitCode;

fn main() -> ExitCode {
    hvsh::shell::start::start(hvsh::commands::TABLE, std::env::args_os())
}
