//! The process of a guest: known by its pid and start time, held by a pidfd so that it can be mistaken for no other.

use crate::error::{Error, ErrorOrigin, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid,
};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// A QEMU process that lives, or lived when it was opened.
#[derive(Debug)]
pub struct Process {
    pid: i32,
    start_time: u64,
    handle: OwnedFd,
}

/// How a process came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// It left by itself with this status.
    Exited(i32),
    /// A signal ended it.
    Killed(i32),
    /// It was not our child, so nobody can say.
    Unknown,
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            End::Exited(code) => write!(f, "it left with status {code}"),
            End::Killed(signal) => write!(f, "signal {signal} ended it"),
            End::Unknown => f.write_str("its end was not ours to see"),
        }
    }
}

impl Process {
    /// Takes hold of a child just started.
    pub fn of_child(pid: u32) -> Result<Process> {
        let pid = i32::try_from(pid).map_err(Error::internal)?;
        Process::open(pid).ok_or_else(|| Error::internal(format!("process {pid} is gone already")))
    }

    /// Takes hold of a process an earlier helper started; `None` when it is gone or the pid is another's now.
    pub fn find(pid: i32, start_time: u64) -> Option<Process> {
        let process = Process::open(pid)?;
        (process.start_time == start_time && !process.has_ended()).then_some(process)
    }

    fn open(pid: i32) -> Option<Process> {
        let handle = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
        Some(Process { pid, start_time: start_time_of(pid)?, handle })
    }

    /// Its number.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// When it started, in clock ticks since boot: with the pid it is unique.
    pub fn start_time(&self) -> u64 {
        self.start_time
    }

    /// Readable once the process has ended.
    pub fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.ends_within(Duration::ZERO)
    }

    /// Waits for its end at most so long.
    pub fn ends_within(&self, limit: Duration) -> bool {
        let mut waiting = [PollFd::new(&self.handle, PollFlags::IN)];
        let limit = Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(limit.subsec_nanos()),
        };
        matches!(poll(&mut waiting, Some(&limit)), Ok(1))
    }

    /// Waits until it or another process has ended.
    pub fn ends_or(&self, other: &Process) {
        let mut waiting =
            [PollFd::new(&self.handle, PollFlags::IN), PollFd::new(&other.handle, PollFlags::IN)];
        while matches!(poll(&mut waiting, None), Ok(0) | Err(rustix::io::Errno::INTR)) {}
    }

    /// Asks it to leave in order.
    pub fn terminate(&self) {
        // A process that is gone needs no signal.
        let _ = pidfd_send_signal(&self.handle, Signal::TERM);
    }

    /// Ends it at once.
    pub fn kill(&self) {
        let _ = pidfd_send_signal(&self.handle, Signal::KILL);
    }

    /// Ends it: in order first, by force (unless `graceful`) when that takes too long.
    pub fn end(&self, graceful: bool) -> Result<()> {
        self.terminate();
        if self.ends_within(Duration::from_secs(10)) {
            return Ok(());
        }
        if !graceful {
            self.kill();
            if self.ends_within(Duration::from_secs(10)) {
                return Ok(());
            }
        }
        let signal = if graceful { "SIGTERM" } else { "SIGKILL" };
        let busy = std::io::Error::from_raw_os_error(nix::errno::Errno::EBUSY as i32);
        let tried = format!("Failed to terminate process {} with {signal}", self.pid);
        Err(Error::system(tried, &busy).from_origin(ErrorOrigin::QEMU))
    }

    /// Collects a child's exit status, so that it does not stay behind as a zombie.
    pub fn reap(&self) -> End {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        match waitid(WaitId::PidFd(self.handle.as_fd()), options) {
            Ok(Some(status)) => match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => End::Exited(code),
                (None, Some(signal)) => End::Killed(signal),
                (None, None) => End::Unknown,
            },
            Ok(None) | Err(_) => End::Unknown,
        }
    }

    /// CPU time of the whole process: in user mode and in the kernel, in nanoseconds.
    pub fn cpu_times(&self) -> Option<(u64, u64)> {
        let fields = stat_fields(&format!("/proc/{}/stat", self.pid))?;
        cpu_times_of(&fields)
    }

    /// Memory in use, in KiB.
    pub fn resident(&self) -> Option<u64> {
        let fields = stat_fields(&format!("/proc/{}/stat", self.pid))?;
        let pages: u64 = fields.get(21)?.parse().ok()?;
        Some(pages * (rustix::param::page_size() as u64) / 1024)
    }
}

/// What the kernel says of one thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ThreadTimes {
    /// CPU time in nanoseconds.
    pub cpu_time: u64,
    /// Time spent waiting for a CPU, in nanoseconds.
    pub delay: u64,
    /// The CPU it ran on last.
    pub cpu: i32,
}

/// Reads the counters of a thread.
pub fn thread_times(pid: i32, thread: i32) -> Option<ThreadTimes> {
    let folder = format!("/proc/{pid}/task/{thread}");
    let fields = stat_fields(&format!("{folder}/stat"))?;
    let (user, system) = cpu_times_of(&fields)?;
    let cpu = fields.get(36)?.parse().ok()?;
    let schedule = std::fs::read_to_string(format!("{folder}/schedstat")).unwrap_or_default();
    let delay = schedule.split_whitespace().nth(1).and_then(|field| field.parse().ok());
    Some(ThreadTimes { cpu_time: user + system, delay: delay.unwrap_or(0), cpu })
}

/// The fields of a `stat` file after the command's name, which may itself hold blanks and parentheses.
fn stat_fields(path: &str) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(path).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_string).collect())
}

fn cpu_times_of(fields: &[String]) -> Option<(u64, u64)> {
    let nanoseconds_a_tick = 1_000_000_000 / rustix::param::clock_ticks_per_second().max(1);
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some((ticks(11)? * nanoseconds_a_tick, ticks(12)? * nanoseconds_a_tick))
}

fn start_time_of(pid: i32) -> Option<u64> {
    stat_fields(&format!("/proc/{pid}/stat"))?.get(19)?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::zombie_processes)] // the point is that the handle collects them
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_process_is_known_by_pid_and_start_time() {
        let child = Command::new("sleep").arg("30").spawn().unwrap();
        let process = Process::of_child(child.id()).unwrap();
        assert!(!process.has_ended());
        assert!(Process::find(process.pid(), process.start_time()).is_some());
        assert!(Process::find(process.pid(), process.start_time() + 1).is_none());
        process.end(false).unwrap();
        assert!(process.has_ended());
        assert_eq!(process.reap(), End::Killed(15));
        assert!(Process::find(process.pid(), process.start_time()).is_none());
    }

    #[test]
    fn a_deaf_process_is_ended_by_force() {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' TERM; echo; while :; do sleep 0.05; done"]);
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut ready = [0u8; 1];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
        let process = Process::of_child(child.id()).unwrap();
        process.kill();
        assert!(process.ends_within(Duration::from_secs(5)));
        assert_eq!(process.reap(), End::Killed(9));
    }
}
