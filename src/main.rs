//! The binary: readable panics, then the library's `run`.

use std::process::ExitCode;

fn main() -> ExitCode {
    patdeck::process::tell_panics();
    patdeck::run()
}
