//! Tests of the program in a real pseudo-terminal: what reaches the operator's screen, and what is
//! left of it afterwards. Each file has its own subject; `support` drives the terminal, `home`
//! gives the program a home of its own.

// `cfg(test)` tells clippy that panicking is the point here.
#[cfg(test)]
mod home;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod panics;
#[cfg(test)]
mod program;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod support;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod traces;
#[cfg(test)]
mod walk;
