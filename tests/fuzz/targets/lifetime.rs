//! Fuzz target: runs the check `lifetime` on input from libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::lifetime(bytes));
