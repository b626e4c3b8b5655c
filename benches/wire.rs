//! Bytes and write calls of the app, measured on the real loop.

fn main() {}
