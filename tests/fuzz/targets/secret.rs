//! Runs the check `secret` on whatever libFuzzer finds.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::secret(bytes));
