//! The one place that prints errors: `error: …` on standard error, the outermost sentence first.

use anyhow::Error;
use std::io::Write;

/// A failure about which nothing more is to be said: the command said it already, or virsh says nothing.
#[derive(Debug, thiserror::Error)]
#[error("failed")]
pub struct Silent;

/// Writes each sentence of `error` on a line of its own.
pub fn write_chain(out: &mut dyn Write, error: &Error) {
    for cause in error.chain().filter(|cause| !cause.is::<Silent>()) {
        write_line(out, &cause.to_string());
    }
}

/// Writes one sentence.
pub fn write_line(out: &mut dyn Write, message: &str) {
    // Nobody is left to tell when standard error itself is gone.
    let _ = writeln!(out, "error: {message}");
    let _ = out.flush();
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn the_outermost_sentence_comes_first_and_silence_is_kept() {
        let cause: Error = crate::error::Error::invalid_operation("domain is not running").into();
        let error = Err::<(), _>(cause)
            .context("Failed to destroy domain 'x'")
            .unwrap_err();
        let mut out = Vec::new();
        write_chain(&mut out, &error);
        write_chain(&mut out, &Silent.into());
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "error: Failed to destroy domain 'x'\nerror: Requested operation is not valid: domain is not running\n"
        );
    }
}
