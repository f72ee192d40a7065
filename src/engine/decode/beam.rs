//! Beam search of one source: which hypotheses grow, which are finished, and when it is over.
//!
//! In: step by step, the best next tokens of every live hypothesis. Out: how the hypotheses grow, at the end the best
//! of them. Running the model and sharing it among sources is [`mod@super::search`]'s. Source: transformers 5.23.0,
//! `generation/utils.py`, `_beam_search` with `early_stopping=False`, and `_sample` with `do_sample=False` for one beam; of
//! equal candidates the lower beam's comes first, then the smaller id.
//!
//! The reference fills places without a hypothesis with one of log-probability -10^9 (all beams but the first at the
//! start, ended ones later). Here such places do not exist; what the reference returns beside them is the same.

use super::repetition::{before_loop, loop_length};
use super::rules::{Lengths, Rules};
use super::step::{Growth, Scored};
use crate::engine::Finish;

/// The parent of a hypothesis' first token.
const ROOT: u32 = u32::MAX;
/// Log-probabilities below this come from bans alone, or are not numbers.
const DEAD: f32 = -1e8;

/// A finished hypothesis.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its tokens without the start token; the end token is there where it was written.
    pub ids: Vec<u32>,
    /// What it was ranked by: log-probability over length to the length penalty; for one beam the log-probability.
    pub score: f32,
    /// Natural-log probability of all its tokens; forced ones count for nothing.
    pub log_probability: f32,
    /// How it ended.
    pub finish: Finish,
    /// Where asked for, one row a token: the weight of every source token in the attention that produced it.
    pub attention: Vec<Vec<f32>>,
}

/// Whether a search goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Its hypotheses grow.
    Live,
    /// No better hypothesis can come.
    Over,
    /// The best hypothesis repeats itself.
    Looping,
}

/// A token of a hypothesis, behind the one before it.
#[derive(Debug, Clone, Copy)]
struct Node {
    parent: u32,
    token: u32,
    /// Log-probability of the hypothesis up to here.
    sum: f32,
    /// The attention that produced it, an index of `Beam::rows`.
    row: u32,
}

/// A hypothesis that ended.
#[derive(Debug, Clone, Copy)]
struct Ended {
    node: u32,
    score: f32,
}

/// A way for a hypothesis to go on.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    beam: usize,
    token: u32,
    sum: f32,
}

/// The search of one source.
#[derive(Debug)]
pub struct Beam<'r> {
    rules: &'r Rules,
    lengths: Lengths,
    no_repeat_ngram: usize,
    nodes: Vec<Node>,
    rows: Vec<Vec<f32>>,
    /// The live hypotheses, best first: last token and log-probability.
    live: Vec<(u32, f32)>,
    grow: Vec<Growth>,
    /// Best first, at most as many as beams.
    ended: Vec<Ended>,
    /// Tokens of every live hypothesis, without the start token.
    generated: usize,
    /// The hypothesis that was found to loop.
    looping: Option<u32>,
}

impl<'r> Beam<'r> {
    /// Starts a search. `again` says that it is the second try of a source that looped.
    pub fn new(rules: &'r Rules, lengths: Lengths, again: bool) -> Self {
        let no_repeat_ngram = match rules.no_repeat_ngram {
            0 if again => super::rules::RETRY_NGRAM,
            n if again => n.min(super::rules::RETRY_NGRAM),
            n => n,
        };
        let lengths = Lengths { max: lengths.max.max(2), ..lengths };
        let banned = rules.banned_after(&[rules.start], 1, lengths, no_repeat_ngram);
        Self {
            rules,
            lengths,
            no_repeat_ngram,
            nodes: Vec::new(),
            rows: Vec::new(),
            live: vec![(ROOT, 0.0)],
            grow: vec![Growth { parent: 0, token: rules.start, banned }],
            ended: Vec::new(),
            generated: 0,
            looping: None,
        }
    }

    /// Returns how the live hypotheses grew: what the model is to be asked next.
    pub fn grow(&self) -> &[Growth] {
        &self.grow
    }

    /// Takes what the model says of the hypotheses in [`Beam::grow`], in that order, and lets them grow.
    pub fn advance(&mut self, scored: &[Scored]) -> Status {
        let first_row = self.rows.len();
        if self.rules.attention {
            self.rows.extend(scored.iter().map(|scored| scored.attention.clone()));
        }
        let candidates = self.candidates(scored);
        self.generated += 1;
        let mut live = Vec::with_capacity(self.rules.beams);
        self.grow.clear();
        for (rank, candidate) in candidates.iter().enumerate() {
            let ends = self.rules.ends(candidate.token) || self.generated + 1 >= self.lengths.max;
            // Only the best candidates may end a hypothesis; the others are there to fill the places of those that end.
            let has_place = if ends { rank < self.rules.beams } else { live.len() < self.rules.beams };
            if !has_place {
                continue;
            }
            let node = self.nodes.len() as u32;
            self.nodes.push(Node {
                parent: self.live[candidate.beam].0,
                token: candidate.token,
                sum: candidate.sum,
                row: (first_row + candidate.beam) as u32,
            });
            if ends {
                self.end(node, candidate.sum);
            } else {
                live.push((node, candidate.sum));
                self.grow.push(Growth { parent: candidate.beam, token: candidate.token, banned: Vec::new() });
            }
        }
        self.live = live;
        for (growth, &(node, _)) in self.grow.iter_mut().zip(&self.live) {
            let looks_back = self.rules.looks_back(self.no_repeat_ngram);
            let ids = if looks_back { path(&self.nodes, node, Some(self.rules.start)) } else { Vec::new() };
            growth.banned = self.rules.banned_after(&ids, self.generated + 1, self.lengths, self.no_repeat_ngram);
        }
        self.status()
    }

    /// Returns the best ways to go on over all live hypotheses.
    fn candidates(&self, scored: &[Scored]) -> Vec<Candidate> {
        let forced = self.rules.forced(self.generated + 1, self.lengths).map(|token| [(token, 0.0)]);
        let mut candidates = Vec::with_capacity(self.live.len() * self.rules.candidates());
        for (beam, (&(_, sum), scored)) in self.live.iter().zip(scored).enumerate() {
            let next = forced.as_ref().map_or(&scored.top[..], |forced| &forced[..]);
            candidates.extend(next.iter().map(|&(token, probability)| Candidate {
                beam,
                token,
                sum: sum + probability,
            }));
        }
        candidates.retain(|candidate| candidate.sum > DEAD);
        candidates.sort_by(|a, b| b.sum.total_cmp(&a.sum).then(a.beam.cmp(&b.beam)).then(a.token.cmp(&b.token)));
        candidates.truncate(self.rules.candidates());
        candidates
    }

    /// Counts a hypothesis among the ended ones, where it is good enough.
    fn end(&mut self, node: u32, sum: f32) {
        let score = self.score(sum, self.generated);
        let place = self.ended.partition_point(|ended| ended.score >= score);
        self.ended.insert(place, Ended { node, score });
        self.ended.truncate(self.rules.beams);
    }

    fn score(&self, sum: f32, length: usize) -> f32 {
        if self.rules.beams <= 1 {
            return sum;
        }
        sum / (length as f64).powf(f64::from(self.rules.length_penalty)) as f32
    }

    /// Decides whether the search goes on.
    fn status(&mut self) -> Status {
        let best_ended = self.ended.first().copied();
        let growing = self.live.first().map(|&(node, sum)| Ended { node, score: self.score(sum, self.generated) });
        let growing = growing.filter(|growing| match self.ended.get(self.rules.beams.max(1) - 1) {
            // Greedy search ends with its only hypothesis.
            Some(worst) => self.rules.beams > 1 && growing.score > worst.score,
            None => true,
        });
        let (status, best) = match (growing, best_ended) {
            // What ended before the loop began is the better answer, and growing the loop gives no other.
            (Some(live), Some(ended)) if ended.score >= live.score => {
                let loops = self.rules.guard && loop_length(&path(&self.nodes, live.node, None)).is_some();
                if !loops {
                    return Status::Live;
                }
                (Status::Over, ended)
            }
            (Some(live), _) => (Status::Live, live),
            (None, Some(ended)) => (Status::Over, ended),
            (None, None) => return Status::Over,
        };
        let loops = self.rules.guard && loop_length(&self.without_end(best.node)).is_some();
        if !loops {
            return status;
        }
        self.looping = Some(best.node);
        Status::Looping
    }

    /// Returns the tokens of an ended hypothesis without the token that ended it.
    fn without_end(&self, node: u32) -> Vec<u32> {
        let mut ids = path(&self.nodes, node, None);
        if ids.last().is_some_and(|&id| self.rules.ends(id)) {
            ids.pop();
        }
        ids
    }

    /// Returns the ended hypotheses, best first, as many as the rules ask for. None only where the model gave no token that
    /// may be written.
    pub fn found(&self) -> Vec<Found> {
        let found = self.ended.iter().take(self.rules.best.max(1)).map(|ended| {
            let ids = path(&self.nodes, ended.node, None);
            // A forced end token is a limit too, not the model's own end.
            let limit = ids.len() + 1 >= self.lengths.max;
            let stopped =
                ids.last().is_some_and(|&id| self.rules.ends(id)) && !(limit && self.rules.forced_eos.is_some());
            let finish = if stopped { Finish::Stop } else { Finish::Length };
            self.hypothesis(ended.node, ids, ended.score, finish)
        });
        found.collect()
    }

    /// Returns the hypothesis that loops, without the loop's later rounds; nothing where [`Beam::advance`] found none.
    pub fn before_loop(&self) -> Option<Found> {
        let mut node = self.looping?;
        let ids = self.without_end(node);
        let kept = before_loop(&ids, loop_length(&ids)?);
        for _ in kept..chain(&self.nodes, node).count() {
            node = self.nodes[node as usize].parent;
        }
        let ids = path(&self.nodes, node, None);
        let score = self.score(self.nodes.get(node as usize)?.sum, ids.len());
        Some(self.hypothesis(node, ids, score, Finish::Loop))
    }

    fn hypothesis(&self, node: u32, ids: Vec<u32>, score: f32, finish: Finish) -> Found {
        let mut attention = Vec::new();
        if self.rules.attention {
            attention.extend(chain(&self.nodes, node).map(|node| self.rows[node.row as usize].clone()));
            attention.reverse();
        }
        Found { ids, score, log_probability: self.nodes[node as usize].sum, finish, attention }
    }
}

/// Walks from a hypothesis' last token to its first.
fn chain(nodes: &[Node], last: u32) -> impl Iterator<Item = Node> {
    let at = |node: u32| nodes.get(node as usize).copied();
    std::iter::successors(at(last), move |node| at(node.parent))
}

/// Returns the tokens of a hypothesis from the first to the last, behind `start` where there is one.
fn path(nodes: &[Node], last: u32, start: Option<u32>) -> Vec<u32> {
    let mut ids: Vec<u32> = chain(nodes, last).map(|node| node.token).chain(start).collect();
    ids.reverse();
    ids
}
