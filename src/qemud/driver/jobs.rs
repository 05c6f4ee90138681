//! Watching and ending long jobs.

use super::{QemuConnection, check_flags};
use crate::backend::DomainJobs;
use crate::error::Result;
use crate::model::constants::*;
use crate::model::*;

impl DomainJobs for QemuConnection {
    fn job_info(&self, domain: &DomainRef) -> Result<JobInfo> {
        let guest = self.find(domain)?;
        if let Some(job) = guest.jobs.long() {
            return Ok(job.info());
        }
        guest.lock().running()?;
        Ok(JobInfo::default())
    }

    fn job_stats(&self, domain: &DomainRef, flags: u32) -> Result<(i32, Vec<TypedParam>)> {
        let known = DOMAIN_JOB_STATS_COMPLETED | DOMAIN_JOB_STATS_KEEP_COMPLETED;
        check_flags(flags, known, "virDomainGetJobStats")?;
        let guest = self.find(domain)?;
        if flags & DOMAIN_JOB_STATS_COMPLETED != 0 {
            return Ok(guest.jobs.completed(flags & DOMAIN_JOB_STATS_KEEP_COMPLETED != 0));
        }
        if let Some(job) = guest.jobs.long() {
            return Ok(job.statistics());
        }
        guest.lock().running()?;
        Ok((DOMAIN_JOB_NONE, Vec::new()))
    }

    fn abort_job(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        check_flags(flags, DOMAIN_ABORT_JOB_POSTCOPY, "virDomainAbortJobFlags")?;
        let guest = self.find(domain)?;
        guest.lock().running()?;
        guest.jobs.abort()?;
        guest.announce();
        Ok(())
    }
}
