//! Takes one use of a token with a maximum number of uses. The use is committed before the check
//! answers "allowed", and the decision is made again under the write lock, so two checks never take
//! the same use. A use that cannot be written gives no answer. Called by the verifier.

use std::time::Duration;

use super::verify::{CheckOutcome, PresentedKey, Verifier};
use crate::{
    domain::{AccessRequest, Decision, Denial},
    store::StoreError,
};

/// Maximum time that a check waits for the write lock of the store.
const LOCK_TIMEOUT: Duration = Duration::from_millis(750);

impl Verifier {
    /// Decides again and takes one use if the answer is "allowed". While this process holds the
    /// write lock, no other commit can change the token or take a use.
    ///
    /// # Errors
    ///
    /// [`StoreError::UseNotCounted`] if the use cannot be written. Then there is no answer.
    pub(super) fn take_use(
        &mut self,
        presented: &PresentedKey,
        request: Option<&AccessRequest>,
        from: Option<&str>,
    ) -> Result<CheckOutcome, StoreError> {
        let store = self.store().clone();
        let taken = store.write_within(LOCK_TIMEOUT, |rows| {
            let mut outcome = self.decide(presented, request, from)?;
            if let Some((token, slot, max)) = outcome.counted_use() {
                if rows.take_use(token, slot)? {
                    outcome.add_use();
                } else {
                    outcome.decision = Decision::Deny(Denial::UsesExhausted(max));
                }
            }
            Ok(outcome)
        });
        taken.map_err(|source| StoreError::UseNotCounted { source: Box::new(source) })
    }
}
