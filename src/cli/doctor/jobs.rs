//! The jobs of the store in the report: changes that are saved in batches, and those that were
//! interrupted.

use super::DoctorReport;
use crate::{output::advice, service::Service};

pub(super) fn collect(report: &mut DoctorReport, service: &Service) {
    let jobs = match service.jobs() {
        Ok(jobs) => jobs,
        Err(error) => return report.unknown("jobs", &error.to_string()),
    };
    let texts: Vec<_> = jobs.iter().map(advice::job_state).collect();
    report.fact("unfinished jobs", texts);
    for stored in jobs.iter().filter(|stored| !stored.is_running) {
        report.warn(advice::interrupted_job(&stored.job));
    }
}
