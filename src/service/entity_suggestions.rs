//! The entities that scopes of existing tokens name, as suggestions for new scopes. Reads a bounded
//! number of tokens, so that a form opens quickly on a store of any size. Called by the app.

use std::{cmp::Reverse, collections::HashMap};

use compact_str::CompactString;

use super::{Service, ServiceError};
use crate::domain::{Entity, EntityType};

/// Maximum number of tokens that are read. The ids are random, so the first tokens in the order of
/// the ids are a random sample of the store.
const MAX_TOKENS: usize = 8_192;
/// Number of tokens that are read in one transaction.
const BATCH: usize = 1_024;
/// Maximum number of suggestions.
const MAX_ENTITIES: usize = 200;

impl Service {
    /// Returns the entities of `entity_type` in the scopes of tokens, those of most tokens first.
    /// Leaves out `*`. In a store of more than 8,192 tokens, the counts are those of a sample.
    pub fn entities_in_use(&self, entity_type: &EntityType) -> Result<Vec<String>, ServiceError> {
        let mut token_counts: HashMap<CompactString, usize> = HashMap::new();
        let mut after = None;
        for _ in 0..MAX_TOKENS / BATCH {
            let batch = self.load_batch(after, BATCH)?;
            for token in &batch.tokens {
                let of_type = token.scopes.iter().filter(|it| it.entity_type == *entity_type);
                let mut ids: Vec<_> = of_type
                    .filter_map(|scope| match &scope.entity {
                        Entity::Any => None,
                        Entity::Id(id) => Some(id),
                    })
                    .collect();
                ids.sort_unstable();
                ids.dedup();
                for id in ids {
                    *token_counts.entry(id.clone()).or_default() += 1;
                }
            }
            after = batch.next;
            if after.is_none() {
                break;
            }
        }
        let mut counts: Vec<_> = token_counts.into_iter().collect();
        counts.sort_by(|(a, a_count), (b, b_count)| {
            (Reverse(a_count), a).cmp(&(Reverse(b_count), b))
        });
        // Earlier versions accepted an id that contains `*`; it cannot be granted again.
        counts.retain(|(entity, _)| Entity::parse(entity).is_ok());
        counts.truncate(MAX_ENTITIES);
        Ok(counts.into_iter().map(|(entity, _)| entity.into()).collect())
    }
}
