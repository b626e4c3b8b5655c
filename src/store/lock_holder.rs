//! Describes the processes that hold the store's locks, for the error of a lock timeout: process,
//! user and state. `/proc/locks` and `/proc/<process>/status` are readable by all users, so this
//! works although patdeck protects its own memory from other processes. If no process is found, the
//! description contains no process. Called by `lock_timeout_backend`.

use std::fs;

use super::path_security::FileId;
use crate::domain::terminal_text::escape;

/// The maximum number of processes in a description.
const MAX_NAMED: usize = 3;

/// Names the processes that probably hold the lock: those that are both stopped and writing. If
/// there are none, names those that are only stopped or only writing. If there are none either,
/// returns "another patdeck process".
pub(super) fn describe_lock_holders(file: FileId) -> String {
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let (mut certain, mut possible) = (Vec::new(), Vec::new());
    for (process, count) in open_handles(&locks, file) {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let named = describe(process, &status);
        // Each process keeps one handle for reading. A process that writes has a second handle.
        match (count > 1, is_stopped(&status)) {
            (true, true) => certain.push(named),
            (false, false) => {}
            _ => possible.push(named),
        }
    }
    let mut named = if certain.is_empty() { possible } else { certain };
    named.truncate(MAX_NAMED);
    if named.is_empty() { "another patdeck process".to_owned() } else { named.join(" or ") }
}

/// Describes the stopped processes that have the file open.
pub(super) fn stopped_holders(file: FileId) -> Vec<String> {
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let describe_stopped = |(process, _)| {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        is_stopped(&status).then(|| describe(process, &status))
    };
    open_handles(&locks, file).into_iter().filter_map(describe_stopped).collect()
}

/// The processes that have the store open, each with its number of handles. redb holds a lock on
/// each open handle, and the kernel lists the lock with its process.
fn open_handles(locks: &str, file: FileId) -> Vec<(u32, usize)> {
    let device = (rustix::fs::major(file.device), rustix::fs::minor(file.device));
    let rows: Vec<_> =
        locks.lines().filter_map(parse_lock_entry).filter(|row| row.inode == file.inode).collect();
    // Some file systems use different device numbers for files and for locks.
    let exact = rows.iter().any(|row| row.device == device);
    let mut found: Vec<(u32, usize)> = Vec::new();
    for row in rows.iter().filter(|row| !exact || row.device == device) {
        match found.iter_mut().find(|(process, _)| *process == row.process) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => found.push((row.process, 1)),
        }
    }
    found
}

/// A line of `/proc/locks`.
struct ProcLocksLine {
    process: u32,
    device: (u32, u32),
    inode: u64,
}

/// Parses a line such as `3: FLOCK  ADVISORY  READ  4711 fe:00:42 0 EOF`.
fn parse_lock_entry(line: &str) -> Option<ProcLocksLine> {
    let mut fields = line.split_whitespace().skip_while(|field| *field != "FLOCK");
    let process = fields.nth(3)?.parse().ok()?;
    let mut numbers = fields.next()?.split(':');
    let mut hex = || u32::from_str_radix(numbers.next()?, 16).ok();
    let device = (hex()?, hex()?);
    Some(ProcLocksLine { process, device, inode: numbers.next()?.parse().ok()? })
}

fn status_field<'s>(status: &'s str, key: &str) -> Option<&'s str> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.strip_prefix(':').map(str::trim)
}

fn is_stopped(status: &str) -> bool {
    status_field(status, "State").is_some_and(|state| state.starts_with(['T', 't']))
}

/// Describes a process, for example as `patdeck (process 7 of user 1000, stopped)`. `status` is the
/// content of `/proc/<process>/status`.
fn describe(process: u32, status: &str) -> String {
    let name = escape(status_field(status, "Name").unwrap_or("patdeck"));
    let user = status_field(status, "Uid").and_then(|all| all.split_whitespace().next());
    let user = user.map_or(String::new(), |user| format!(" of user {user}"));
    let state = if is_stopped(status) { "stopped" } else { "running" };
    format!("{name} (process {process}{user}, {state})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_holder_is_described_with_user_and_state() {
        let status = |state| format!("Name:\ta) b\nState:\t{state}\nUid:\t1000\t0\t0\t0\n");
        let stopped = describe(7, &status("T (stopped)"));
        assert_eq!(stopped, "a) b (process 7 of user 1000, stopped)");
        let sleeping = describe(8, &status("S (sleeping)"));
        assert_eq!(sleeping, "a) b (process 8 of user 1000, running)");
        assert_eq!(describe(9, ""), "patdeck (process 9, running)");
    }

    #[test]
    fn handles_are_counted_by_process_for_one_file() {
        let locks = "1: FLOCK  ADVISORY  READ 7 fe:00:12 0 EOF\n\
                     2: OFDLCK ADVISORY  WRITE -1 fe:00:12 4611686018427387904 4611686018427387904\n\
                     3: -> FLOCK  ADVISORY  READ 8 fe:00:12 0 EOF\n\
                     4: FLOCK  ADVISORY  READ 7 fe:00:12 0 EOF\n\
                     5: FLOCK  ADVISORY  READ 9 fe:01:12 0 EOF\n";
        let device = |minor| FileId { device: rustix::fs::makedev(0xfe, minor), inode: 12 };
        assert_eq!(open_handles(locks, device(0)), [(7, 2), (8, 1)]);
        assert_eq!(open_handles(locks, device(1)), [(9, 1)]);
        assert_eq!(open_handles(locks, device(9)), [(7, 2), (8, 1), (9, 1)]);
    }
}
