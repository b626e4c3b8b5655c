//! Fuzz target: runs the check `import` on input from libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::import(bytes));
