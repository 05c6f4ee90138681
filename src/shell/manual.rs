//! The manual page hvsh(1), written from the rows in man's own language.

use super::about;
use super::help::{self, GROUPS};
use super::options::{OPTIONS, ProcessOption};
use super::spec::{Command, Table};
use std::fmt::Write;

/// The day that the page bears.
const RELEASED: &str = "2026-11-23";

const OPENING: &str = r#".SH NAME
hvsh \- run virtual machines on QEMU and Xen with the commands of virsh
.SH SYNOPSIS
.B hvsh
.RI [ option ]...\&
.RI [ "command line" ]
.br
.B hvsh
.RI [ option ]...\&
.I command
.RI [ word ]...
.SH DESCRIPTION
.B hvsh
defines, starts, inspects and ends virtual machines.
It takes the commands, options and command lines of
.BR virsh ,
answers in the same words and tables, and needs no libvirt.
.PP
With one operand
.B hvsh
runs it as a command line; with several, as the words of one command.
Without any it reads command lines from a prompt or from a pipe.
.PP
A command line holds commands parted by semicolons or line ends.
Blanks part words; single and double quotes keep them together,
and a backslash takes the meaning off the next character.
What follows a # at the beginning of a word is a remark.
All commands are parsed before the first one runs.
A command that fails does not stop the ones behind it.
.PP
Options of a command stand anywhere behind its name.
A value is given as
.BI \-\-name= value\fR,
.BI \-\-name \ value\fR,
or, where the synopsis shows it without its option, by place.
A lone
.B \-\-
ends the options.
.PP
Started under the name
.B virsh
the program shows virsh's prompt
and the number of the libvirt release that it stands in for.
"#;

const CLOSING: &str = r#".SH XEN
On a Xen host
.B xen:///
needs no service of its own.
Root reaches the hypervisor, its store and its toolstack directly;
everybody else reads through
.BR hvsh\-xen\-proxy (8)
and can change nothing.
.B version \-\-daemon
says which of these ways serve, and why another does not.
.PP
A definition is the toolstack's own file,
.IR /etc/xen/ NAME .cfg ,
and
.B autostart
a link in
.IR /etc/xen/auto .
Files written by hand count as well.
.B domxml\-from\-native
and
.B domxml\-to\-native
know the formats
.BR xen\-xl ,
.B xen\-xm
and
.BR xen\-sxpr .
.PP
.B xen:///?layers=xenstore,xl
uses only the ways it names, of
.BR hypervisor ,
.BR xenstore ,
.BR xend ,
.B xl
and
.BR proxy .
.PP
Where xend runs (Xen 3.0.2 to 4.4), it is asked about domains and for changes:
by its socket, else by port 8000 of this host,
as far as
.I /etc/xen/xend\-config.sxp
lets it listen there.
.B xen:///?xend=unix:PATH
or
.B xen:///?xend=tcp:HOST:PORT
names another one, which then serves alone.
To that,
.BI &xend\-timeout= SECONDS
bounds each request,
.BI &xend\-domains= FOLDER
says where its own definitions lie,
and for 3.0.2 and 3.0.3, which keep none,
.BI &xend\-files= FOLDER
where those of xm do.
What a release would not survive is refused before it is asked.
.SH OUTPUT AS DATA
With
.B \-\-format json
or
.B \-\-format yaml
a command that lists or shows prints one document;
those that only act print none.
Remarks for people are left out.
Sizes are plain numbers of bytes and times of seconds,
unless the field's name says otherwise.
.PP
What a command prints stands in its paragraph above, behind the words
.BR "As data" .
.BR text ,
.BR integer ,
.B number
and
.B boolean
are values,
.B any
is what the hypervisor or the guest answered itself,
.RI [ T ]
is a list,
.RI {name:\ T }
an object and
.RI {*:\ T }
an object whose names are the hypervisor's own.
A question mark behind a value says that it may be null,
one behind a name that the field may be missing.
.RI T\ |\ T
is one or the other.
Dots behind it mean any number of documents, one after another as they come:
each a line of JSON, or a YAML document with its mark.
.PP
These names and types do not change.
.B hvsh \-\-format json help
.I command
prints all of this for programs.
.PP
A command on several domains prints a list with an object for each:
.BR domain ,
.B succeeded
(yes or no),
.B errors
(a list of text) and
.BR answer ,
which is what the command prints for one.
.PP
.B \-\-format pretty
is for the eye alone: tables and labelled values have lines around them,
and on a terminal long cells are broken to its width.
The title line is bold there unless
.B NO_COLOR
is set.
What is not a table or a list of labelled values looks as ever.
.SH EXIT STATUS
0 when the last command did what it was asked, 1 otherwise.
A prompt or a piped script always ends with 0.
.SH ENVIRONMENT
.TP
.B VIRSH_DEFAULT_CONNECT_URI
Where to connect when
.B \-c
does not say.
.TP
.B LIBVIRT_DEFAULT_URI
The same, asked after it.
.TP
.B VIRSH_DEBUG
The level of
.BR \-d .
.TP
.B VIRSH_LOG_FILE
The file of
.BR \-l .
.TP
.B VIRSH_HISTSIZE
How many lines the prompt remembers.
.TP
.BR VISUAL ", " EDITOR
The editor of the commands that edit.
.SH FILES
.TP
.IR $XDG_CONFIG_HOME/hvsh/hvsh.conf ", " /etc/hvsh/hvsh.conf
.B uri_default
is where to connect when nothing else says;
.B uri_aliases
is a list of
.IR name = URI
whose names may be given for their URIs.
The settings of the same names in
.I libvirt.conf
are taken where these files say nothing.
.TP
.I $XDG_CACHE_HOME/hvsh/history
The lines typed at the prompt.
.SH SEE ALSO
.BR hvsh-qemud (8)
"#;

/// The whole page.
pub fn page(table: Table) -> String {
    let mut out = format!(
        ".\\\" Written by hvsh --print-manual from the command table. Do not edit.\n.TH HVSH 1 {RELEASED} \"hvsh {}\"\n",
        env!("CARGO_PKG_VERSION")
    );
    out.push_str(OPENING);
    out.push_str(".SH OPTIONS\n");
    for option in OPTIONS.iter().filter(|option| !option.help.is_empty()) {
        process_option(&mut out, option);
    }
    out.push_str(".SH COMMANDS\n");
    for &group in GROUPS {
        let mut rows = table.rows().filter(|row| row.group == group && !row.hidden).peekable();
        if rows.peek().is_some() {
            let _ = writeln!(out, ".SS {}", escape(group.title()));
            rows.for_each(|row| command(&mut out, row));
        }
    }
    out.push_str(CLOSING);
    out
}

fn process_option(out: &mut String, option: &ProcessOption) {
    let form = about::form(option).replace(" | ", ", ");
    let _ = writeln!(out, ".TP\n.B {}", escape(&form));
    sentence(out, option.help);
}

/// A phrase of help as a sentence.
fn sentence(out: &mut String, phrase: &str) {
    for line in help::wrap(&format!("{}.", capital(phrase)), 76) {
        let _ = writeln!(out, "{}", escape(&line));
    }
}

fn command(out: &mut String, row: &Command) {
    let synopsis = help::synopsis(row);
    let operands = synopsis.strip_prefix(row.name).unwrap_or_default();
    let _ = writeln!(out, ".TP\n\\fB{}\\fR{}", escape(row.name), escape(operands));
    for line in row.description.split('\n').filter(|line| !line.trim().is_empty()) {
        for line in help::wrap(line, 76) {
            let _ = writeln!(out, "{}", escape(&line));
        }
    }
    if row.several.is_some() {
        for line in help::wrap(help::SEVERAL, 76) {
            let _ = writeln!(out, "{}", escape(&line));
        }
    }
    if let Some(shape) = row.answers {
        out.push_str(".br\n");
        for line in help::wrap(&format!("As data: {shape}"), 76) {
            let _ = writeln!(out, "{}", escape(&line));
        }
    }
    let mut options = row.listed_options().peekable();
    if options.peek().is_none() {
        return;
    }
    out.push_str(".RS\n");
    for option in options {
        let _ = writeln!(out, ".TP\n.B {}", escape(&help::option_form(option)));
        sentence(out, option.help);
    }
    out.push_str(".RE\n");
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

/// Text that man prints as it is.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '"' => out.push_str("\\(dq"),
            '~' => out.push_str("\\(ti"),
            '^' => out.push_str("\\(ha"),
            '`' => out.push_str("\\(ga"),
            '…' => out.push_str("..."),
            '.' | '\'' if out.is_empty() => {
                out.push_str("\\&");
                out.push(c);
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_turn_into_a_request() {
        assert_eq!(escape(".x \\ -y"), "\\&.x \\e \\-y");
        assert_eq!(escape("'a' ^]"), "\\&'a' \\(ha]");
    }
}
