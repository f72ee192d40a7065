//! Beam search written down a second time, as the reference has it: whole vocabularies, tensors of fixed size, places
//! without a hypothesis filled with log-probability -10^9, no structure shared with the library's. Slow and plain.
//!
//! Source: transformers 5.23.0, `generation/utils.py` (`_beam_search`, `_sample`) and `generation/logits_process.py`.

use mujaz::engine::decode::Generation;

use super::model::{Table, log_softmax};

const FILL: f32 = -1e9;

/// Lengths as the reference has them: `max_length` counts the start token, `min_new_tokens` does not.
pub struct Reference<'a> {
    pub model: &'a Table,
    pub source: &'a [u32],
    pub generation: &'a Generation,
    pub max_length: usize,
    pub min_new_tokens: usize,
}

/// A row of the reference's tensors.
#[derive(Debug, Clone)]
struct Row {
    ids: Vec<u32>,
    score: f32,
    sum: f32,
    finished: bool,
}

/// Ids without the start token, score, log-probability.
pub type Answer = (Vec<u32>, f32, f32);

impl Reference<'_> {
    /// The log-probabilities of all tokens behind `ids`, after all processors.
    fn scores(&self, ids: &[u32]) -> Vec<f32> {
        let g = self.generation;
        let mut scores = log_softmax(&self.model.logits(self.source, ids), |_| true);
        let n = g.no_repeat_ngram_size;
        if n > 0 && ids.len() >= n {
            for i in 0..=ids.len() - n {
                if ids[i..i + n - 1] == ids[ids.len() + 1 - n..] {
                    scores[ids[i + n - 1] as usize] = f64::NEG_INFINITY;
                }
            }
        }
        for word in &g.bad_words_ids {
            let (last, before) = word.split_last().unwrap();
            let only_end = before.is_empty() && g.eos_token_id.contains(last);
            if !only_end && before.len() <= ids.len() && ids[ids.len() - before.len()..] == *before {
                scores[*last as usize] = f64::NEG_INFINITY;
            }
        }
        if ids.len() - 1 < self.min_new_tokens {
            for &eos in &g.eos_token_id {
                scores[eos as usize] = f64::NEG_INFINITY;
            }
        }
        let mut force = |token: u32| {
            scores.fill(f64::NEG_INFINITY);
            scores[token as usize] = 0.0;
        };
        if let Some(token) = g.forced_bos_token_id.filter(|_| ids.len() == 1) {
            force(token);
        }
        if let Some(token) = g.forced_eos_token_id.filter(|_| ids.len() == self.max_length - 1) {
            force(token);
        }
        if g.renormalize_logits {
            scores = log_softmax(&scores, |_| true);
        }
        scores.into_iter().map(|score| self.model.scored(score)).collect()
    }

    fn stops(&self, ids: &[u32]) -> bool {
        ids.len() >= self.max_length || self.generation.eos_token_id.contains(&ids[ids.len() - 1])
    }

    /// `_sample` with `do_sample=False`.
    pub fn greedy(&self) -> Answer {
        let mut ids = vec![self.generation.decoder_start_token_id];
        let mut sum = 0.0;
        loop {
            let scores = self.scores(&ids);
            let mut best = 0;
            for (i, &score) in scores.iter().enumerate() {
                if score > scores[best] {
                    best = i;
                }
            }
            ids.push(best as u32);
            sum += scores[best];
            if self.stops(&ids) {
                return (ids[1..].to_vec(), sum, sum);
            }
        }
    }

    /// `_beam_search`; rows that hold no hypothesis are left out.
    pub fn beam_search(&self) -> Vec<Answer> {
        let g = self.generation;
        let beams = g.num_beams;
        let keep = (1 + g.eos_token_id.len()).max(2) * beams;
        let start = vec![g.decoder_start_token_id];
        let row = |sum: f32| Row { ids: start.clone(), score: FILL, sum, finished: false };
        let mut running: Vec<Row> = (0..beams).map(|i| row(if i == 0 { 0.0 } else { FILL })).collect();
        let mut finished: Vec<Row> = (0..beams).map(|_| row(FILL)).collect();
        let mut may_improve = true;
        let mut length = 1;
        loop {
            let mut all: Vec<(f32, usize, u32)> = Vec::new();
            for (beam, row) in running.iter().enumerate() {
                let scores = self.scores(&row.ids);
                all.extend(scores.iter().enumerate().map(|(id, score)| (row.sum + score, beam, id as u32)));
            }
            // Stable: of equal ones the first of the flattened tensor.
            all.sort_by(|a, b| b.0.total_cmp(&a.0));
            all.truncate(keep);
            let top: Vec<Row> = all
                .iter()
                .map(|&(sum, beam, id)| {
                    let mut ids = running[beam].ids.clone();
                    ids.push(id);
                    Row { ids, score: FILL, sum, finished: false }
                })
                .collect();
            let stops: Vec<bool> = top.iter().map(|row| self.stops(&row.ids)).collect();

            let mut next: Vec<Row> = top.clone();
            for (row, &stop) in next.iter_mut().zip(&stops) {
                row.sum += if stop { FILL } else { 0.0 };
            }
            next.sort_by(|a, b| b.sum.total_cmp(&a.sum));
            next.truncate(beams);
            running = next;

            let mut merged = finished.clone();
            for (rank, (row, &stop)) in top.iter().zip(&stops).enumerate() {
                let ended = stop && rank < beams;
                let penalty = (length as f64).powf(f64::from(g.length_penalty)) as f32;
                let mut score = row.sum / penalty;
                score += if may_improve { 0.0 } else { FILL };
                score += if ended { 0.0 } else { FILL };
                merged.push(Row { score, finished: ended, ..row.clone() });
            }
            merged.sort_by(|a, b| b.score.total_cmp(&a.score));
            merged.truncate(beams);
            finished = merged;

            length += 1;
            let best = running[0].sum / ((length - 1) as f64).powf(f64::from(g.length_penalty)) as f32;
            let worst = finished.iter().map(|row| row.score).fold(f32::INFINITY, f32::min);
            may_improve &= finished.iter().any(|row| best > if row.finished { worst } else { FILL });
            if !may_improve || stops.iter().all(|&stop| stop) {
                break;
            }
        }
        let real = finished.into_iter().filter(|row| row.finished && row.sum > -1e8);
        real.map(|row| (row.ids[1..].to_vec(), row.score, row.sum)).collect()
    }
}
