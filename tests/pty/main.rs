//! Tests of the program in a real pseudo-terminal: what reaches the operator's screen, and what is
//! left of it afterwards. Each file has its own subject; `support` drives the terminal.

// `cfg(test)` tells clippy that panicking is the point here.
#[cfg(test)]
mod support;
#[cfg(test)]
mod terminal;
