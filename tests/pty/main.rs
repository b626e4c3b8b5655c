//! Tests of the program in a pseudo-terminal: what it shows, how it ends, and what it leaves behind.
//! One file per topic. `support` drives the terminal; `home` gives each test its own home folder.

// `cfg(test)` makes clippy allow panics in these modules.
#[cfg(test)]
mod demo;
#[cfg(test)]
mod hang_up;
#[cfg(test)]
mod home;
#[cfg(test)]
mod hooks;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod panics;
#[cfg(test)]
mod program;
#[cfg(test)]
mod secret_encodings;
#[cfg(test)]
mod specification;
#[cfg(test)]
mod startup_errors;
#[cfg(test)]
mod support;
#[cfg(test)]
mod terminal;
