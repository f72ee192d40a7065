//! The tokens that may be written: all of a model's, or a shortlist with its own, smaller output projection.
//!
//! In: ids of a vocabulary. Out: a projection onto just these, and the way from an index of its logits to an id and back.

use crate::engine::Error;
use crate::engine::linear::Linear;

/// An output projection and the ids that its rows stand for.
#[derive(Debug, Clone)]
pub struct OutputVocabulary {
    projection: Linear,
    /// Sorted; nothing where row i is id i.
    ids: Option<Vec<u32>>,
}

impl OutputVocabulary {
    /// Takes a whole projection.
    pub fn all(projection: &Linear) -> Self {
        Self { projection: projection.clone(), ids: None }
    }

    /// Cuts a projection down to some ids; order and doubles do not matter.
    ///
    /// # Errors
    /// Where an id is past the projection's last row.
    pub fn shortlist(projection: &Linear, mut ids: Vec<u32>) -> Result<Self, Error> {
        ids.sort_unstable();
        ids.dedup();
        Ok(Self { projection: projection.select_rows(&ids)?, ids: Some(ids) })
    }

    /// Returns the projection.
    pub fn projection(&self) -> &Linear {
        &self.projection
    }

    /// Returns how many tokens may be written.
    pub fn len(&self) -> usize {
        self.projection.outputs()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the id of a logit.
    ///
    /// # Panics
    /// Where the index is not below [`OutputVocabulary::len`].
    pub fn id(&self, index: usize) -> u32 {
        match &self.ids {
            Some(ids) => ids[index],
            None => index as u32,
        }
    }

    /// Returns the logit of an id, where the id may be written.
    pub fn index(&self, id: u32) -> Option<usize> {
        match &self.ids {
            Some(ids) => ids.binary_search(&id).ok(),
            None => ((id as usize) < self.len()).then_some(id as usize),
        }
    }
}
