//! Fuzz target: runs the check `search` on input from libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::search(bytes));
