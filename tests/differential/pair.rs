//! Runs scripts through an installed virsh and through our shell, and keeps their answers line by line.

use crate::normal::{self, normal};
use std::collections::HashMap;
use std::fmt::Write;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Lines that are typed into one fresh connection, and the files that they read.
#[derive(Clone, Default, Debug)]
pub struct Script {
    pub name: String,
    pub files: Vec<(String, String)>,
    pub lines: Vec<String>,
    /// Whether all lines are one command line of one process, with one answer.
    pub whole: bool,
}

impl Script {
    /// What is answered, piece by piece.
    pub fn played(&self) -> &[String] {
        match self.whole {
            true => &self.lines[self.lines.len() - 1..],
            false => &self.lines,
        }
    }
}

/// What was printed to standard output and to standard error, and the exit status where a process had ended.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Answer {
    pub out: String,
    pub err: String,
    pub status: Option<i32>,
}

impl Answer {
    /// What is compared of the answer to a line.
    pub fn shown(&self, line: &str) -> Answer {
        let shown = |text: &str| normal::uncounted(line, &normal::without_help(line, text));
        Answer { out: shown(&self.out), err: shown(&self.err), status: self.status }
    }

    /// What stands for an answer that never came.
    pub fn missing() -> Answer {
        let words = "(no answer)\n".to_string();
        Answer { out: words.clone(), err: words, status: None }
    }
}

/// How long the real virsh may be busy with one line; some it never ends.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long we may, on however busy a machine.
const OUR_PATIENCE: Duration = Duration::from_secs(60);

/// How often a process may be run that was killed for its silence.
const TRIES: usize = 2;

/// An installed virsh of the release that is the measure, or why there is none.
pub fn virsh() -> Result<PathBuf, String> {
    let path = PathBuf::from("/usr/bin/virsh");
    let answer = Command::new(&path).arg("--version").output();
    let version = answer.map(|answer| String::from_utf8_lossy(&answer.stdout).trim().to_string());
    match version {
        Ok(version) if version.starts_with("11.3.") => Ok(path),
        Ok(version) => Err(format!("virsh here is {version}, not 11.3")),
        Err(_) => Err("no virsh is installed".to_string()),
    }
}

/// One of the two programs in a folder of its own.
pub struct Side {
    program: PathBuf,
    folder: tempfile::TempDir,
    patience: Duration,
}

impl Side {
    pub fn new(program: &Path) -> Side {
        let folder = tempfile::tempdir().unwrap();
        Side { program: program.to_path_buf(), folder, patience: PATIENCE }
    }

    /// Our shell under the name virsh, so that prompts are alike.
    pub fn ours() -> Side {
        let mut side = Side::new(Path::new(env!("CARGO_BIN_EXE_hvsh")));
        let link = side.folder.path().join("virsh");
        std::os::unix::fs::symlink(&side.program, &link).unwrap();
        side.program = link;
        side.patience = OUR_PATIENCE;
        side
    }

    /// The program in its folder, with nothing of the caller's settings.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        let work = self.folder.path().join("work");
        fs::create_dir_all(&work).unwrap();
        command.env_clear().env("HOME", self.folder.path()).env("PATH", "/usr/bin:/bin");
        command.env("XDG_RUNTIME_DIR", self.folder.path()).env("LC_ALL", "C").env("TZ", "UTC");
        command
            .env("COLUMNS", "9999")
            .env("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null")
            .env("TERM", "dumb")
            .env("EDITOR", "true")
            .current_dir(work)
            .stdin(Stdio::null());
        command
    }

    fn place(&self, script: usize) -> PathBuf {
        self.folder.path().join("work").join(script.to_string())
    }

    /// Makes the script's own folder, with those files in it that its lines name.
    fn write(&self, script: &Script, place: usize) {
        let folder = self.place(place);
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in &script.files {
            if script.lines.iter().any(|line| line.contains(name)) {
                fs::write(folder.join(name), text.replace("@DIR@", folder.to_str().unwrap())).unwrap();
            }
        }
    }

    /// The answers to every line of every script, typed into one process; a line that was never answered has `None`.
    pub fn talk(&self, scripts: &[Script], options: &[&str]) -> Vec<Vec<Option<Answer>>> {
        let mut answers: Vec<Vec<Option<Answer>>> = Vec::new();
        for (place, script) in scripts.iter().enumerate() {
            self.write(script, place);
        }
        while answers.len() < scripts.len() {
            let from = answers.len();
            let (out, err) = self.play_once(&scripts[from..], from, options);
            let (out, err) = (pieces(&out, ""), pieces(&err, "error: "));
            for (place, script) in scripts.iter().enumerate().skip(from) {
                let answer = |line: usize| {
                    let name = format!("{place}:{line}");
                    Some(Answer { out: out.get(&name)?.clone(), err: err.get(&name)?.clone(), status: None })
                };
                let these: Vec<_> = (0..script.lines.len()).map(answer).collect();
                let died = these.iter().any(Option::is_none);
                answers.push(self.normal(script, these));
                if died {
                    eprintln!("no answer: {} {:?}", self.program.display(), script.lines);
                    break;
                }
            }
        }
        answers
    }

    /// The answers with paths and random words replaced, numbered through the whole script.
    fn normal(&self, script: &Script, answers: Vec<Option<Answer>>) -> Vec<Option<Answer>> {
        const PART: &str = "\u{1}";
        let all: Vec<String> =
            answers.iter().flatten().flat_map(|a| [a.out.clone(), a.err.clone()]).collect();
        let text = all.join(PART).replace(self.folder.path().to_str().unwrap(), "@HOME@");
        let given = script.files.iter().map(|(_, text)| text).chain(&script.lines);
        let kept = given.fold(super::KEPT.to_string(), |kept, text| kept + text);
        let text = normal(&text, &kept);
        let mut pieces = text.split(PART).map(str::to_string);
        let mut next = || pieces.next().unwrap_or_default();
        let mut replaced = |answer: Answer| Answer { out: next(), err: next(), status: answer.status };
        answers.into_iter().map(|answer| answer.map(&mut replaced)).collect()
    }

    /// The answer to each script as the command line of a process of its own, with its exit status.
    pub fn run(&self, scripts: &[Script], options: &[&str]) -> Vec<Vec<Option<Answer>>> {
        let run = |(place, script): (usize, &Script)| {
            self.write(script, place);
            // A real virsh may miss the end of a quick save: it gets more tries.
            let answer = (0..TRIES).find_map(|_| self.run_once(script, &self.place(place), options));
            if answer.is_none() {
                eprintln!("no answer: {} {:?}", self.program.display(), script.lines);
            }
            self.normal(script, vec![answer])
        };
        scripts.iter().enumerate().map(run).collect()
    }

    fn run_once(&self, script: &Script, folder: &Path, options: &[&str]) -> Option<Answer> {
        let path = |name: &str| self.folder.path().join(name);
        let lines: Vec<String> =
            script.lines.iter().map(|line| line.replace("@DIR@", folder.to_str().unwrap())).collect();
        let mut command = self.command();
        command.current_dir(folder).args(options).args(["-c", "test:///default", &lines.join("; ")]);
        command.stdout(File::create(path("out")).unwrap()).stderr(File::create(path("err")).unwrap());
        let status = wait(command.spawn().unwrap(), &path("err"), self.patience);
        let read = |name| String::from_utf8_lossy(&fs::read(path(name)).unwrap()).into_owned();
        status.code().map(|code| Answer { out: read("out"), err: read("err"), status: Some(code) })
    }

    fn play_once(&self, scripts: &[Script], from: usize, options: &[&str]) -> (String, String) {
        let mut input = String::new();
        let read_only = if options.contains(&"-r") { "--readonly " } else { "" };
        for (place, script) in scripts.iter().enumerate().map(|(place, script)| (from + place, script)) {
            let folder = self.place(place);
            let folder = folder.to_str().unwrap();
            writeln!(input, "cd {folder}\nconnect {read_only}test:///default\n{}", mark(place, "begin"))
                .unwrap();
            for (number, line) in script.lines.iter().enumerate() {
                let line = line.replace("@DIR@", folder);
                writeln!(input, "{line}\n{}", mark(place, &number.to_string())).unwrap();
            }
        }
        let path = |name: &str| self.folder.path().join(name);
        fs::write(path("in"), input).unwrap();
        let mut command = self.command();
        command.args(options).args(["-c", "test:///default"]);
        command.stdin(File::open(path("in")).unwrap());
        command.stdout(File::create(path("out")).unwrap()).stderr(File::create(path("err")).unwrap());
        wait(command.spawn().unwrap(), &path("err"), self.patience);
        let read = |name| String::from_utf8_lossy(&fs::read(path(name)).unwrap()).into_owned();
        (read("out"), read("err"))
    }
}

/// Waits for a program's end, and ends it when it has been silent for too long: a line that waits for ever.
fn wait(mut child: Child, marks: &Path, patience: Duration) -> ExitStatus {
    let size = || fs::metadata(marks).map_or(0, |file| file.len());
    let (mut known, mut since) = (size(), Instant::now());
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if size() != known {
            (known, since) = (size(), Instant::now());
        } else if since.elapsed() > patience {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What is typed after a line, so that its answer can be told from the next one's.
fn mark(script: usize, line: &str) -> String {
    format!("echo @@{script}:{line}@@\necho --err @@{script}:{line}@@")
}

/// The text cut at its marks, by the name of the mark behind each piece.
fn pieces(text: &str, before_marks: &str) -> HashMap<String, String> {
    let mut pieces = HashMap::new();
    let mut piece = String::new();
    for line in text.split_inclusive('\n') {
        let mark = line.strip_prefix(before_marks).and_then(|rest| rest.strip_prefix("@@"));
        match mark.and_then(|rest| rest.split_once("@@")).map(|(name, _)| name) {
            Some(name) => {
                pieces.insert(name.to_string(), without_marks(&piece));
                piece.clear();
            }
            None => piece.push_str(line),
        }
    }
    pieces
}

/// An answer without the echo of what was typed around it to make the marks.
fn without_marks(piece: &str) -> String {
    let typed =
        |line: &&str| !(line.contains("# echo ") || line.contains("> echo ")) || !line.ends_with("@@\n");
    piece.split_inclusive('\n').filter(typed).collect()
}
