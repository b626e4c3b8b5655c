//! The memory of another process, as the kernel reports it. Called by the benchmarks that have a
//! bound for the peak memory of a command.

use std::fs;

/// Peak memory of a process in MiB; `None` if it has exited.
pub(crate) fn peak_memory(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1_024.0)
}
