//! Fuzz target: runs the check `scan` on input from libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::scan(bytes));
