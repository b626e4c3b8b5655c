//! Where random bytes come from: the operating system, and nothing else in a real program.
//! A failing source is passed on; no secret is ever made of poor randomness.

use std::sync::{Mutex, PoisonError};

#[cfg(any(test, feature = "testing"))]
use rand::SeedableRng as _;
use rand::{
    Rng as _, TryRng as _,
    rngs::{StdRng, SysRng},
};

use super::ServiceError;

#[derive(Debug)]
pub enum Entropy {
    System,
    /// A repeatable stream for tests and pictures; never used to issue a real token.
    #[cfg_attr(not(any(test, feature = "testing")), expect(dead_code, reason = "for tests"))]
    Seeded(Box<Mutex<StdRng>>),
}

impl Entropy {
    #[cfg(any(test, feature = "testing"))]
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Box::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    pub fn fill(&self, out: &mut [u8]) -> Result<(), ServiceError> {
        match self {
            Self::System => {
                SysRng.try_fill_bytes(out).map_err(|e| ServiceError::Entropy(e.to_string()))
            }
            Self::Seeded(stream) => {
                stream.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(out);
                Ok(())
            }
        }
    }
}
