//! The fault harness: hostile bytes, command lines, environments and descriptors; damaged, replaced
//! and full disks; processes stopped at every system call; clocks that jump. The cases are numbered
//! (`cases`): a failed one prints its number, and `PATDECK_SEED=NUMBER` repeats it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests and their helpers fail by panicking, and print what was measured or skipped"
)]

mod cases;
#[path = "../fuzz/checks.rs"]
#[expect(unreachable_pub, reason = "also a library of the fuzz targets")]
mod checks;
mod clock_walks;
mod command_lines;
mod commands;
#[cfg(target_arch = "x86_64")]
mod ended_secrets;
#[cfg(target_arch = "x86_64")]
mod failing_calls;
mod false_warnings;
mod full_disks;
#[path = "../pty/home.rs"]
#[expect(dead_code, reason = "shared with the tests in a pseudo-terminal")]
mod home;
#[cfg(target_arch = "x86_64")]
mod moved_stores;
mod open_app;
mod page_damage;
mod parsers;
mod permitted_secrets;
mod restores;
mod sandbox;
mod selections;
mod small_disk;
mod stopped_processes;
mod subject;
#[path = "../pty/support.rs"]
#[expect(dead_code, reason = "shared with the tests in a pseudo-terminal")]
mod support;
mod surroundings;
mod tracer;
