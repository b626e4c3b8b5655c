//! The command line: its arguments and its exit codes. Knows nothing of the terminal app; the
//! library's `run` chooses between the two.

pub mod args;
pub mod exit;

pub use args::Args;
pub use exit::Exit;
