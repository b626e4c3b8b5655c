//! The binary: calls [`patdeck::run`].
//! All else is in the library, so that tests and benchmarks can use it.

use std::process::ExitCode;

fn main() -> ExitCode {
    patdeck::run()
}
