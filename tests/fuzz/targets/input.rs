//! Fuzz target: runs the check `input` on input from libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::input(bytes));
