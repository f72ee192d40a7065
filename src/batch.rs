//! 3. Segments are grouped into [`Batch`]es under a padded-token budget, and results go back into order.
//!
//! In: requests in document order with their token counts. Out: batches whose padded size fits the budget, and for each
//! request the place it came from. A pure function: nothing is lost, doubled or reordered (see the property tests).

/// A name or figure of the source and how it must read in English.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Term {
    /// The words in the source, as they stand there without clitics.
    pub source: String,
    /// The English that is wanted.
    pub target: String,
    /// Other English that will do.
    pub also: Vec<String>,
}

/// What one segment asks of an engine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// The text to translate.
    pub source: String,
    /// Terms of the source with their English, in order of appearance; engines that can, use them.
    pub terms: Vec<Term>,
    /// Figures of the source as digits (`2011`, `900`, `07:50`), in order; engines that can, write no others.
    pub numbers: Vec<String>,
    /// Every English name that the source gives reason for, in all its spellings; of the other names it knows, an engine
    /// that can writes none (see [`crate::engine::Engine::avoid_names`]).
    pub allowed: Vec<String>,
}

/// Requests that are decoded together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// The requests, longest first.
    pub requests: Vec<Request>,
    /// For each request, its index in the list that was batched.
    pub places: Vec<usize>,
}

impl Batch {
    /// Makes a batch of all requests, in the order given.
    pub fn of(requests: Vec<Request>) -> Self {
        let places = (0..requests.len()).collect();
        Self { requests, places }
    }
}

/// Groups requests into batches: sorted by length so that padding is small, each at most `max_batch_tokens` when padded
/// to its longest member (a request longer than the budget travels alone) and at most `max_requests` requests.
///
/// `tokens[i]` is the length of `requests[i]`.
///
/// # Panics
/// Where the two lists differ in length.
pub fn batches(requests: Vec<Request>, tokens: &[usize], max_batch_tokens: usize, max_requests: usize) -> Vec<Batch> {
    assert_eq!(requests.len(), tokens.len(), "one token count a request");
    let mut order: Vec<usize> = (0..requests.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(tokens[i]), i));
    let mut slots: Vec<Option<Request>> = requests.into_iter().map(Some).collect();
    let mut batches: Vec<Batch> = Vec::new();
    let mut longest = 0;
    for index in order {
        let fits = batches.last().is_some_and(|batch| {
            batch.requests.len() < max_requests.max(1) && longest * (batch.requests.len() + 1) <= max_batch_tokens
        });
        if !fits {
            batches.push(Batch::default());
            longest = tokens[index].max(1);
        }
        if let (Some(batch), Some(request)) = (batches.last_mut(), slots[index].take()) {
            batch.requests.push(request);
            batch.places.push(index);
        }
    }
    batches
}

/// Puts the results of batches back into the order of the list that was batched.
///
/// # Panics
/// Where a batch has another number of results than requests, or a place was never filled: an engine broke its contract.
pub fn in_order<T>(total: usize, results: Vec<(Vec<usize>, Vec<T>)>) -> Vec<T> {
    let mut slots: Vec<Option<T>> = (0..total).map(|_| None).collect();
    for (places, values) in results {
        assert_eq!(places.len(), values.len(), "one result a request");
        for (place, value) in places.into_iter().zip(values) {
            slots[place] = Some(value);
        }
    }
    slots.into_iter().map(|slot| slot.expect("every request is in exactly one batch")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn batching_loses_doubles_and_reorders_nothing(
            lengths in prop::collection::vec(0usize..400, 0..80),
            budget in 1usize..2000,
            most in 1usize..20,
        ) {
            let requests: Vec<Request> =
                (0..lengths.len()).map(|i| Request { source: i.to_string(), ..Request::default() }).collect();
            let batches = batches(requests.clone(), &lengths, budget, most);
            for batch in &batches {
                let longest = batch.places.iter().map(|&p| lengths[p].max(1)).max().unwrap_or(0);
                prop_assert!(batch.requests.len() == 1 || longest * batch.requests.len() <= budget);
                prop_assert!(batch.requests.len() <= most);
            }
            let results = batches.into_iter().map(|b| (b.places, b.requests)).collect();
            prop_assert_eq!(in_order(lengths.len(), results), requests);
        }
    }
}
