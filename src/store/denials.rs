//! Reads and adds the last denied attempts of a token. A damaged record counts as missing, because it
//! must not prevent checks. Called by the service.

use super::{
    StoreError,
    reader::Reader,
    record::DeniedAttemptsV1,
    tables::{Tables, Transaction},
    write_ops::Writer,
};
use crate::domain::{DeniedAttempt, DeniedAttempts, TokenId};

fn load<T: Transaction>(tables: &Tables<T>, id: &TokenId) -> Result<DeniedAttempts, StoreError> {
    match tables.denials.get(id.as_bytes(), DeniedAttemptsV1::decode_attempts) {
        Ok(attempts) => Ok(attempts.unwrap_or_default()),
        Err(StoreError::Damaged(_)) => Ok(DeniedAttempts::default()),
        Err(error) => Err(error),
    }
}

impl Reader {
    /// Reads the last denied attempts of a token. They are empty if it has none.
    pub fn denied_attempts(&self, id: &TokenId) -> Result<DeniedAttempts, StoreError> {
        load(&self.tables, id)
    }
}

impl Writer<'_> {
    /// Adds a denied attempt of a token. Does nothing if the token does not exist.
    pub fn add_denied_attempt(
        &mut self,
        id: &TokenId,
        attempt: DeniedAttempt,
    ) -> Result<(), StoreError> {
        let key = id.as_bytes();
        if self.tables.tokens.has(key)? {
            let mut attempts = load(&self.tables, id)?;
            attempts.add(attempt);
            self.tables.denials.put(key, &DeniedAttemptsV1::from(&attempts))?;
            self.mark_changed(*key);
        }
        Ok(())
    }
}
