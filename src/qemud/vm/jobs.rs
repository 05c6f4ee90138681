//! Who may change a guest, and when: one modifying job at a time.
//!
//! A question never takes a job. A change waits for its turn, not longer than `PATIENCE`, and then says who
//! holds it. A long job (a save, a dump) publishes its progress and can be told to stop.

use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::{JobInfo, TypedParam};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a change waits for its turn.
const PATIENCE: Duration = Duration::from_secs(30);

/// The turn-taking of one guest.
#[derive(Default)]
pub struct Jobs {
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    /// The public name of the operation that has the turn.
    holder: Option<&'static str>,
    long: Option<Arc<LongJob>>,
    /// The last long job that ended well.
    completed: Option<(i32, Progress, Duration)>,
}

/// Figures of a long job, in bytes.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Progress {
    /// Everything there is to do.
    pub total: u64,
    /// What is done, the part that needed no writing included.
    pub processed: u64,
    /// What is left.
    pub remaining: u64,
    /// Speed in bytes a second.
    pub speed: u64,
    /// Pages that are all alike.
    pub constant: u64,
    /// Pages that were written.
    pub normal: u64,
    /// Bytes of those.
    pub normal_bytes: u64,
    /// Pages a second the guest makes dirty.
    pub dirty_rate: u64,
    /// How many times the memory was gone through.
    pub iteration: u64,
    /// The size of a page.
    pub page_size: u64,
    /// Milliseconds the guest stood still.
    pub downtime: u64,
    /// Milliseconds it took to begin.
    pub setup_time: u64,
}

/// A job that takes long.
pub struct LongJob {
    /// `virDomainJobOperation`.
    pub operation: i32,
    began: Instant,
    progress: Mutex<Progress>,
    aborted: AtomicBool,
}

/// The turn. Giving it up frees the guest for the next.
pub struct Turn<'a> {
    jobs: &'a Jobs,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Jobs {
    /// Waits for the turn of `operation`, named as the public interface names it.
    pub fn take_turn(&self, operation: &'static str) -> Result<Turn<'_>> {
        self.take_turn_within(operation, PATIENCE)
    }

    fn take_turn_within(&self, operation: &'static str, patience: Duration) -> Result<Turn<'_>> {
        let deadline = Instant::now() + patience;
        let mut state = lock(&self.state);
        while let Some(holder) = state.holder {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::new(
                    ErrorCode::OPERATION_TIMEOUT,
                    format!("cannot acquire state change lock (held by {holder})"),
                )
                .from_origin(ErrorOrigin::QEMU));
            }
            let woken = self.freed.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.holder = Some(operation);
        drop(state);
        Ok(Turn { jobs: self })
    }

    /// The long job under way.
    pub fn long(&self) -> Option<Arc<LongJob>> {
        lock(&self.state).long.clone()
    }

    /// Tells the long job under way to stop; it does so soon.
    pub fn abort(&self) -> Result<()> {
        match self.long() {
            Some(job) => {
                job.aborted.store(true, Ordering::SeqCst);
                Ok(())
            }
            None => Err(Error::invalid_operation("no job is active on the domain")),
        }
    }

    /// The last long job that ended well: its figures as statistics. `keep`: do not forget it.
    pub fn completed(&self, keep: bool) -> (i32, Vec<TypedParam>) {
        let mut state = lock(&self.state);
        let completed = if keep { state.completed } else { state.completed.take() };
        match completed {
            Some((operation, progress, took)) => {
                (DOMAIN_JOB_COMPLETED, statistics(operation, &progress, took, true))
            }
            None => (DOMAIN_JOB_NONE, Vec::new()),
        }
    }
}

impl Turn<'_> {
    /// Makes this a long job (`virDomainJobOperation`).
    pub fn lengthen(&self, operation: i32) -> Arc<LongJob> {
        let job = Arc::new(LongJob {
            operation,
            began: Instant::now(),
            progress: Mutex::new(Progress::default()),
            aborted: AtomicBool::new(false),
        });
        lock(&self.jobs.state).long = Some(job.clone());
        job
    }

    /// The long job ended well; answers with its final statistics.
    pub fn complete(&self) -> Vec<TypedParam> {
        let mut state = lock(&self.jobs.state);
        let Some(job) = state.long.take() else {
            return Vec::new();
        };
        let mut progress = *lock(&job.progress);
        progress.remaining = 0;
        let took = job.began.elapsed();
        state.completed = Some((job.operation, progress, took));
        statistics(job.operation, &progress, took, true)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.jobs.state);
        state.holder = None;
        state.long = None;
        drop(state);
        self.jobs.freed.notify_one();
    }
}

impl LongJob {
    /// Publishes how far the job is.
    pub fn publish(&self, progress: Progress) {
        *lock(&self.progress) = progress;
    }

    /// Whether somebody wants it to stop.
    pub fn is_aborted(&self) -> bool {
        self.aborted.load(Ordering::SeqCst)
    }

    /// The error a stopped job ends with.
    pub fn aborted_error(&self) -> Error {
        let name = match self.operation {
            DOMAIN_JOB_OPERATION_SAVE => "domain save job",
            DOMAIN_JOB_OPERATION_DUMP => "domain core dump job",
            DOMAIN_JOB_OPERATION_RESTORE => "domain restore job",
            _ => "job",
        };
        Error::new(ErrorCode::OPERATION_ABORTED, format!("{name}: canceled by client"))
            .from_origin(ErrorOrigin::QEMU)
    }

    /// The figures as `virDomainGetJobInfo` gives them.
    pub fn info(&self) -> JobInfo {
        let progress = *lock(&self.progress);
        JobInfo {
            kind: DOMAIN_JOB_UNBOUNDED,
            time_elapsed: milliseconds(self.began.elapsed()),
            time_remaining: 0,
            data_total: progress.total,
            data_processed: progress.processed,
            data_remaining: progress.remaining,
            memory_total: progress.total,
            memory_processed: progress.processed,
            memory_remaining: progress.remaining,
            ..JobInfo::default()
        }
    }

    /// The figures as `virDomainGetJobStats` gives them.
    pub fn statistics(&self) -> (i32, Vec<TypedParam>) {
        let progress = *lock(&self.progress);
        let params = statistics(self.operation, &progress, self.began.elapsed(), false);
        (DOMAIN_JOB_UNBOUNDED, params)
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn statistics(operation: i32, progress: &Progress, took: Duration, ended: bool) -> Vec<TypedParam> {
    let mut params =
        vec![TypedParam::new("operation", operation), TypedParam::new("time_elapsed", milliseconds(took))];
    let mut add = |name: &str, value: u64| params.push(TypedParam::new(name, value));
    if ended {
        add("downtime", progress.downtime);
        add("setup_time", progress.setup_time);
    }
    for family in ["data", "memory"] {
        add(&format!("{family}_total"), progress.total);
        add(&format!("{family}_processed"), progress.processed);
        add(&format!("{family}_remaining"), progress.remaining);
    }
    add("memory_bps", progress.speed);
    add("memory_constant", progress.constant);
    add("memory_normal", progress.normal);
    add("memory_normal_bytes", progress.normal_bytes);
    add("memory_dirty_rate", progress.dirty_rate);
    add("memory_iteration", progress.iteration);
    add("memory_page_size", progress.page_size);
    if ended {
        add("memory_postcopy_requests", 0);
    }
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_change_waits_and_then_names_the_holder() {
        let jobs = Jobs::default();
        let turn = jobs.take_turn("virDomainSave").unwrap();
        let refused = jobs.take_turn_within("virDomainSuspend", Duration::from_millis(20));
        let error = refused.err().unwrap();
        assert_eq!(
            error.message,
            "Timed out during operation: cannot acquire state change lock (held by virDomainSave)"
        );
        drop(turn);
        jobs.take_turn_within("virDomainSuspend", Duration::ZERO).unwrap();
    }

    #[test]
    fn a_waiting_change_gets_its_turn() {
        let jobs = Jobs::default();
        let turn = jobs.take_turn("a").unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| jobs.take_turn_within("b", Duration::from_secs(20)).is_ok());
            std::thread::sleep(Duration::from_millis(20));
            drop(turn);
            assert!(waiting.join().unwrap());
        });
    }

    #[test]
    fn a_long_job_is_watched_aborted_and_remembered() {
        let jobs = Jobs::default();
        assert!(jobs.abort().is_err());
        let turn = jobs.take_turn("virDomainSave").unwrap();
        let job = turn.lengthen(DOMAIN_JOB_OPERATION_SAVE);
        job.publish(Progress { total: 10, processed: 4, remaining: 6, ..Progress::default() });
        assert_eq!(jobs.long().unwrap().info().data_processed, 4);
        jobs.abort().unwrap();
        assert!(job.is_aborted());
        turn.complete();
        drop(turn);
        assert_eq!(jobs.completed(true).0, DOMAIN_JOB_COMPLETED);
        assert_eq!(jobs.completed(false).0, DOMAIN_JOB_COMPLETED);
        assert_eq!(jobs.completed(false).0, DOMAIN_JOB_NONE);
    }
}
