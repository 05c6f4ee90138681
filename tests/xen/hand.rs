//! What the cases need and no shell can do: start a program with a listening socket, as a service manager does, and
//! be a thousand clients that mean no good, and time two programs side by side.
//!
//! ```text
//! hand serve SOCKET PROGRAM   starts PROGRAM whenever somebody connects and it does not run
//! hand flood SOCKET COUNT     so many connections at once, each with something else that is no request
//! hand best TURNS ONE OTHER   the best of so many turns of each, in microseconds; words of a command are parted by blanks
//! ```

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

unsafe extern "C" {
    fn dup2(old: i32, new: i32) -> i32;
    fn poll(waited_for: *mut PollEntry, count: u64, milliseconds: i32) -> i32;
}

#[repr(C)]
struct PollEntry {
    file: i32,
    wanted: i16,
    seen: i16,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", socket, program] => serve(socket, program),
        ["flood", socket, count] => flood(socket, count.parse().expect("a number")),
        ["best", turns, one, other] => best(turns.parse().expect("a number"), [one, other]),
        _ => panic!("hand serve SOCKET PROGRAM | hand flood SOCKET COUNT | hand best TURNS ONE OTHER"),
    }
}

/// Holds the socket; each time somebody waits at it, the program is started and its end awaited.
fn serve(socket: &str, program: &str) {
    let _ = std::fs::remove_file(socket);
    let listener = UnixListener::bind(socket).expect("a socket");
    std::fs::set_permissions(socket, PermissionsExt::from_mode(0o666)).expect("a mode");
    loop {
        let mut entry = PollEntry { file: listener.as_raw_fd(), wanted: 1, seen: 0 };
        // SAFETY: one entry, which outlives the call.
        unsafe { poll(&mut entry, 1, -1) };
        // The shell tells the program its own number.
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\"", program]);
        let file = listener.as_raw_fd();
        // SAFETY: nothing but two system calls between fork and exec; the copies lose the mark that closes them.
        unsafe {
            command.pre_exec(move || {
                dup2(file, 9);
                dup2(9, 3);
                Ok(())
            })
        };
        let status = command.status().expect("a program");
        println!("ended: {status}");
    }
}

/// Runs both turn by turn and prints the best of each: whatever else the machine does only adds to the others.
fn best(turns: usize, commands: [&str; 2]) {
    let mut best = [Duration::MAX; 2];
    for _ in 0..turns {
        for (command, best) in commands.iter().zip(&mut best) {
            let mut words = command.split(' ');
            let mut program = Command::new(words.next().expect("a program"));
            program.args(words).stdout(Stdio::null());
            let begin = Instant::now();
            let status = program.status().expect("a program that runs");
            let taken = begin.elapsed();
            assert!(status.success(), "{command}: {status}");
            *best = taken.min(*best);
        }
    }
    println!("{} {}", best[0].as_micros(), best[1].as_micros());
}

/// Connects, sends no requests, and says how many connections were taken and how many of those ended.
fn flood(socket: &str, count: usize) {
    let mut open = Vec::new();
    for number in 0..count {
        let Ok(mut stream) = UnixStream::connect(socket) else { continue };
        let _ = stream.set_write_timeout(Some(Duration::from_secs(5)));
        let garbage: Vec<u8> = match number % 5 {
            0 => Vec::new(),
            1 => vec![0xff; 4096],
            2 => 0x7fff_ffff_u32.to_be_bytes().to_vec(),
            3 => 28_u32.to_be_bytes().iter().copied().chain([0; 10]).collect(),
            _ => b"GET / HTTP/1.0\r\n\r\n".repeat(100),
        };
        // A peer that has hung up already has decided well.
        let _ = stream.write_all(&garbage);
        open.push(stream);
    }
    std::thread::sleep(Duration::from_secs(2));
    let ended = |stream: &mut UnixStream| {
        let _ = stream.set_nonblocking(true);
        let mut rest = [0; 4096];
        loop {
            match stream.read(&mut rest) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
        }
    };
    let taken = open.len();
    let over = open.iter_mut().filter_map(|stream| ended(stream).then_some(())).count();
    println!("{taken} taken, {over} ended, {} open", taken - over);
}
