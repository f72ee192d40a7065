//! An engine without weights, so that everything around engines can be tested anywhere.
//!
//! In: a batch. Out: each source with its words in reverse order, or what a table says. Never used outside tests: no
//! registry entry leads here.

use super::{DecodeParams, Engine, Error, Fingerprint, Finish, Hypothesis, Limits};
use crate::batch::Batch;

/// Answers from a table, and reverses the words of what the table lacks.
#[derive(Debug, Clone, Default)]
pub struct FakeEngine {
    /// Source text to the hypotheses it is answered with, best first.
    pub answers: std::collections::BTreeMap<String, Vec<String>>,
}

impl Engine for FakeEngine {
    fn translate(&mut self, batch: &Batch, _params: &DecodeParams) -> Result<Vec<Vec<Hypothesis>>, Error> {
        let hypothesis = |text: String| Hypothesis {
            tokens: text.split_whitespace().count(),
            text,
            log_probability: -0.5,
            finish: Finish::Stop,
            origin: "fake".into(),
        };
        Ok(batch
            .requests
            .iter()
            .map(|request| match self.answers.get(&request.source) {
                Some(answers) => answers.iter().cloned().map(hypothesis).collect(),
                None => {
                    let mut words: Vec<&str> = request.source.split_whitespace().collect();
                    words.reverse();
                    vec![hypothesis(words.join(" "))]
                }
            })
            .collect())
    }

    fn source_tokens(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }

    fn limits(&self) -> Limits {
        Limits { max_source_tokens: 256, max_batch_tokens: 4096 }
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint { model: "fake".into(), revision: "0".into(), decoding: "0".into() }
    }
}
