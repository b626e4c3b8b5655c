//! The random source for ids and secrets: the operating system. If it fails, the error is returned;
//! there is no weaker fallback. Tests use a seeded generator instead.

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
    /// A reproducible generator for tests and pictures; never used to issue a real token.
    #[cfg_attr(not(any(test, feature = "testing")), expect(dead_code, reason = "for tests"))]
    Seeded(Box<Mutex<StdRng>>),
}

impl Entropy {
    #[cfg(any(test, feature = "testing"))]
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Box::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// Fills `out` with random bytes. Fails if the system's random source fails.
    pub fn fill(&self, out: &mut [u8]) -> Result<(), ServiceError> {
        match self {
            Self::System => {
                SysRng.try_fill_bytes(out).map_err(|e| ServiceError::Entropy(e.to_string()))
            }
            Self::Seeded(generator) => {
                generator.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(out);
                Ok(())
            }
        }
    }
}
