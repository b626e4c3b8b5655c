//! The binary: the library's `run`.

use std::process::ExitCode;

fn main() -> ExitCode {
    patdeck::run()
}
