//! Support for tests and benches, behind the feature `testing`; no part of the program.

mod changes;

pub use changes::{Changes, Renewal};
