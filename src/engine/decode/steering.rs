//! Steers a search by what the source says: its terms are drawn in, its figures are the only ones, names that it gives
//! no reason for stay out, and no run of words comes twice.
//!
//! In: what a request carries ([`Request`]) and the tokens written so far. Out: changed logits. Whether the result is
//! right is not judged here. Sources: lexically constrained decoding as soft bias (cf. Hu et al. 2019 for the hard form),
//! no-repeat n-grams (Paulus et al. 2018); the strengths were set on sentences of the development set with a 270 M model.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{LogitsHook, OutputVocabulary};
use crate::batch::Request;

/// What a forbidden token's logit becomes: far below any other, and still finite for a softmax.
const FORBIDDEN: f32 = -1e9;
/// No run of this many tokens is written twice, names excepted.
const NO_REPEAT: usize = 5;

/// Taken from the logit of a word with a capital inside a sentence that begins no name of the source: most such words
/// are names that a model makes up. Not forbidden, for offices and unknown people have capitals too.
const CAPITAL: f32 = 2.5;

/// How strongly terms are drawn in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strength {
    /// Added to the logit of a term's first token.
    pub begin: f32,
    /// Added to the logit of the next token of a term that is begun.
    pub carry_on: f32,
    /// How many of the terms that are still missing are drawn in, in the source's order: Arabic and English news order
    /// their content alike, so a far term would only break the sentence.
    pub window: usize,
}

impl Strength {
    /// Returns the strength for the n-th hypothesis of a segment: they differ, so that the choice among them is one.
    pub fn of_hypothesis(n: usize) -> Self {
        match n % 4 {
            0 => Self { begin: 2.5, carry_on: 6.0, window: 3 },
            1 => Self { begin: 4.0, carry_on: 7.0, window: 2 },
            2 => Self { begin: 2.5, carry_on: 6.0, window: 2 },
            _ => Self { begin: 3.5, carry_on: 7.0, window: 4 },
        }
    }
}

/// Token sequences by their first tokens.
#[derive(Debug, Clone, Default)]
struct Trie {
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, Default)]
struct Node {
    children: BTreeMap<u32, usize>,
    ends: bool,
}

const ROOT: usize = 0;

impl Trie {
    fn new() -> Self {
        Self { nodes: vec![Node::default()] }
    }

    fn insert(&mut self, tokens: &[u32]) {
        let mut node = ROOT;
        for &token in tokens {
            let next = self.nodes.len();
            node = match self.nodes[node].children.get(&token) {
                Some(&child) => child,
                None => {
                    self.nodes[node].children.insert(token, next);
                    self.nodes.push(Node::default());
                    next
                }
            };
        }
        if node != ROOT {
            self.nodes[node].ends = true;
        }
    }

    /// Moves every begun sequence on by a token and begins new ones; sequences that do not go on are dropped.
    fn advance(&self, begun: &mut Vec<(usize, usize)>, token: u32) {
        let mut next = Vec::new();
        for (node, depth) in begun.drain(..).chain([(ROOT, 0)]) {
            if let Some(&child) = self.nodes[node].children.get(&token) {
                next.push((child, depth + 1));
            }
        }
        *begun = next;
    }
}

/// Cuts text into tokens, nothing added.
pub type Encode<'e> = dyn Fn(&str) -> Vec<u32> + 'e;

/// What is the same for all requests: the tokens that can be written, the digits among them, the names that exist.
#[derive(Debug, Clone)]
pub struct Steering {
    /// Sorted; the logit of `ids[i]` is the i-th.
    ids: Vec<u32>,
    /// The bytes that tokens write, one after the other, and where those of the i-th end.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Tokens that write digits alone (a space before them aside): logit place, what they write.
    digits: Vec<(usize, String)>,
    /// Places of tokens that begin a word with a capital.
    capitals: Vec<usize>,
    names: Trie,
}

impl Steering {
    /// Reads a vocabulary: ids in the order of their logits, which is that of their numbers, and what each writes.
    pub fn new<'p>(ids: Vec<u32>, piece: impl Fn(u32) -> &'p [u8]) -> Self {
        debug_assert!(ids.is_sorted(), "logits stand in the order of ids");
        let mut steering = Self {
            bytes: Vec::new(),
            ends: Vec::new(),
            digits: Vec::new(),
            capitals: Vec::new(),
            names: Trie::new(),
            ids,
        };
        for place in 0..steering.ids.len() {
            let piece = piece(steering.ids[place]);
            steering.bytes.extend_from_slice(piece);
            steering.ends.push(steering.bytes.len());
            if let [b' ', b'A'..=b'Z', ..] = piece {
                steering.capitals.push(place);
            }
            let figure = piece.strip_prefix(b" ").unwrap_or(piece);
            if !figure.is_empty() && figure.iter().all(u8::is_ascii_digit) {
                steering.digits.push((place, String::from_utf8_lossy(piece).into_owned()));
            }
        }
        steering
    }

    /// Takes the names that exist; see [`crate::engine::Engine::avoid_names`].
    pub fn avoid_names(&mut self, encode: &Encode, names: &[&str]) {
        self.names = Trie::new();
        for name in names {
            self.names.insert(&encode(&format!(" {name}")));
        }
    }

    fn place(&self, token: u32) -> Option<usize> {
        self.ids.binary_search(&token).ok()
    }

    fn piece(&self, token: u32) -> &[u8] {
        let Some(place) = self.place(token) else { return &[] };
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[place]]
    }
}

/// A term that the target should have.
#[derive(Debug, Clone)]
struct Wanted {
    tokens: Vec<u32>,
    /// What counts as having it, in small letters.
    forms: Vec<String>,
}

/// Constraints of one hypothesis.
pub struct Constraints {
    steering: Arc<Steering>,
    strength: Strength,
    wanted: Vec<Wanted>,
    numbers: Vec<String>,
    allowed: Trie,
    allowed_begun: Vec<(usize, usize)>,
    names_begun: Vec<(usize, usize)>,
    /// Name tokens that are forbidden wherever no longer name is begun: token, logit place.
    forbidden: Vec<(u32, usize)>,
    bytes: Vec<u8>,
    seen: usize,
    runs: BTreeMap<Vec<u32>, BTreeSet<u32>>,
}

impl Constraints {
    /// Prepares the constraints of a request for one hypothesis.
    pub fn new(steering: Arc<Steering>, encode: &Encode, request: &Request, strength: Strength) -> Self {
        let spaced = |text: &str| encode(&format!(" {text}"));
        let mut wanted: Vec<(usize, Wanted)> = Vec::new();
        for term in &request.terms {
            let at = request.source.find(&term.source).unwrap_or(usize::MAX);
            let forms = std::iter::once(&term.target).chain(&term.also).map(|form| form.to_lowercase()).collect();
            wanted.push((at, Wanted { tokens: spaced(&term.target), forms }));
        }
        for number in &request.numbers {
            let at = request.source.find(number.as_str()).unwrap_or(usize::MAX);
            wanted.push((at, Wanted { tokens: spaced(number), forms: vec![number.clone()] }));
        }
        wanted.sort_by_key(|(at, _)| *at);
        let mut allowed = Trie::new();
        for name in request.allowed.iter().chain(request.terms.iter().map(|term| &term.target)) {
            allowed.insert(&spaced(name));
        }
        let root = &steering.names.nodes[ROOT].children;
        let forbidden = root
            .iter()
            .filter(|(token, node)| {
                steering.names.nodes[**node].ends && !allowed.nodes[ROOT].children.contains_key(token)
            })
            .filter_map(|(&token, _)| Some((token, steering.place(token)?)))
            .collect();
        Self {
            steering,
            strength,
            wanted: wanted.into_iter().map(|(_, wanted)| wanted).collect(),
            numbers: request.numbers.clone(),
            allowed,
            allowed_begun: Vec::new(),
            names_begun: Vec::new(),
            forbidden,
            bytes: Vec::new(),
            seen: 0,
            runs: BTreeMap::new(),
        }
    }

    /// Takes in the tokens written since the last call.
    fn follow(&mut self, generated: &[u32]) {
        for index in self.seen..generated.len() {
            let token = generated[index];
            self.bytes.extend_from_slice(self.steering.piece(token));
            self.allowed.advance(&mut self.allowed_begun, token);
            self.steering.names.advance(&mut self.names_begun, token);
            if index + 1 >= NO_REPEAT {
                let run = generated[index + 1 - NO_REPEAT..index].to_vec();
                self.runs.entry(run).or_default().insert(token);
            }
        }
        self.seen = generated.len();
    }

    /// Draws in the terms that are missing, and the rest of one that is begun.
    fn draw_in(&self, generated: &[u32], text: &str, logits: &mut [f32]) {
        let text = text.to_lowercase();
        let missing = self.wanted.iter().filter(|wanted| !wanted.forms.iter().any(|form| text.contains(form)));
        for (n, wanted) in missing.enumerate() {
            let longest = wanted.tokens.len().saturating_sub(1).min(generated.len());
            let begun = (1..=longest).rev().find(|&k| generated.ends_with(&wanted.tokens[..k]));
            let (token, bonus) = match begun {
                Some(k) => (wanted.tokens.get(k), self.strength.carry_on),
                None if n < self.strength.window => (wanted.tokens.first(), self.strength.begin),
                None => (None, 0.0),
            };
            if let Some(place) = token.and_then(|&token| self.steering.place(token)) {
                logits[place] += bonus;
            }
        }
    }

    /// Lets only the source's figures be written, each as often as the source has it.
    fn keep_figures(&self, text: &str, logits: &mut [f32]) {
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | ':');
        let run_start =
            text.rfind(|c: char| !is_part(c)).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
        let run = text[run_start..].trim_start_matches(['.', ',', ':']);
        let written: Vec<&str> = text[..text.len() - run.len()]
            .split(|c| !is_part(c))
            .map(|figure| figure.trim_matches(['.', ',', ':']))
            .collect();
        let left: Vec<&str> = self
            .numbers
            .iter()
            .filter(|number| {
                let has = self.numbers.iter().filter(|other| other == number).count();
                written.iter().filter(|figure| *figure == number).count() < has
            })
            .map(String::as_str)
            .collect();
        for (place, digits) in &self.steering.digits {
            let candidate = match digits.strip_prefix(' ') {
                Some(fresh) => fresh.to_owned(),
                None => format!("{run}{digits}"),
            };
            if !left.iter().any(|number| number.starts_with(&candidate)) {
                logits[*place] = FORBIDDEN;
            } else if !run.is_empty() && !digits.starts_with(' ') && !left.contains(&run) {
                // A figure that is begun and no figure yet must go on.
                logits[*place] += self.strength.carry_on;
            }
        }
    }

    /// Keeps out names that the source gives no reason for.
    fn keep_out(&self, logits: &mut [f32]) {
        let spared = |token: u32, depth: usize| {
            self.allowed_begun
                .iter()
                .any(|&(node, begun)| begun >= depth && self.allowed.nodes[node].children.contains_key(&token))
        };
        for &(token, place) in &self.forbidden {
            if !spared(token, 0) {
                logits[place] = FORBIDDEN;
            }
        }
        for &(node, depth) in &self.names_begun {
            for (&token, &child) in &self.steering.names.nodes[node].children {
                if self.steering.names.nodes[child].ends
                    && !spared(token, depth)
                    && let Some(place) = self.steering.place(token)
                {
                    logits[place] = FORBIDDEN;
                }
            }
        }
    }

    /// Discourages capitals within a sentence.
    fn lower(&self, text: &str, logits: &mut [f32]) {
        let before = text.trim_end().chars().next_back();
        if before.is_none_or(|c| matches!(c, '.' | '!' | '?' | ':' | '"' | '“' | '‘')) {
            return;
        }
        let root = &self.allowed.nodes[ROOT].children;
        for &place in &self.steering.capitals {
            if !root.contains_key(&self.steering.ids[place]) {
                logits[place] -= CAPITAL;
            }
        }
    }

    /// Keeps a run of tokens from coming twice, unless it carries on a name or term.
    fn keep_moving(&self, generated: &[u32], logits: &mut [f32]) {
        let Some(start) = generated.len().checked_sub(NO_REPEAT - 1) else { return };
        let Some(seen) = self.runs.get(&generated[start..]) else { return };
        for &token in seen {
            let name_goes_on =
                self.allowed_begun.iter().any(|&(node, _)| self.allowed.nodes[node].children.contains_key(&token));
            if !name_goes_on && let Some(place) = self.steering.place(token) {
                logits[place] = FORBIDDEN;
            }
        }
    }
}

impl LogitsHook for Constraints {
    fn adjust(&mut self, generated: &[u32], _vocabulary: &OutputVocabulary, logits: &mut [f32]) {
        self.steer(generated, logits);
    }
}

impl Constraints {
    /// Changes the logits, which are in the order of the steering's ids.
    fn steer(&mut self, generated: &[u32], logits: &mut [f32]) {
        self.follow(generated);
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        self.draw_in(generated, &text, logits);
        self.keep_figures(&text, logits);
        self.lower(&text, logits);
        self.keep_out(logits);
        self.keep_moving(generated, logits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Term;

    /// One token a character, so that every rule can be seen at work.
    fn letters(text: &str) -> Vec<u32> {
        text.chars().map(u32::from).collect()
    }

    fn logits_after(request: &Request, names: &[&str], written: &str) -> Vec<f32> {
        let ascii: Vec<u8> = (0..128).collect();
        let mut steering = Steering::new((0..128).collect(), |id| &ascii[id as usize..][..1]);
        steering.avoid_names(&letters, names);
        let strength = Strength::of_hypothesis(0);
        let mut constraints = Constraints::new(Arc::new(steering), &letters, request, strength);
        let mut logits = vec![0.0; 128];
        constraints.steer(&letters(written), &mut logits);
        logits
    }

    #[test]
    fn only_figures_of_the_source_can_be_written() {
        let request =
            Request {
                source: "في 2011 و900".into(), numbers: vec!["2011".into(), "900".into()], ..Request::default()
            };
        let fresh = logits_after(&request, &[], " in ");
        let can = |logits: &[f32]| -> String { ('0'..='9').filter(|c| logits[*c as usize] > FORBIDDEN).collect() };
        assert_eq!(can(&fresh), "29");
        let begun = logits_after(&request, &[], " in 20");
        assert_eq!(can(&begun), "1");
        assert!(begun['1' as usize] > 0.0, "a figure that is begun is carried on");
        assert_eq!(can(&logits_after(&request, &[], " in 2011")), "");
        assert_eq!(can(&logits_after(&request, &[], " in 2011, ")), "9", "2011 is used up");
    }

    #[test]
    fn names_without_a_reason_stay_out() {
        let request = Request { allowed: vec!["South Sudan".into()], ..Request::default() };
        let names = ["Sudan", "South Sudan", "Chad"];
        assert_eq!(logits_after(&request, &names, " in Cha")['d' as usize], FORBIDDEN);
        assert_eq!(logits_after(&request, &names, " in Suda")['n' as usize], FORBIDDEN);
        assert!(logits_after(&request, &names, " in South Suda")['n' as usize] > FORBIDDEN);
    }

    #[test]
    fn missing_terms_are_drawn_in_and_carried_on() {
        let term = Term { source: "ليبيا".into(), target: "Libya".into(), also: vec!["Libyan".into()] };
        let request = Request { source: "ليبيا".into(), terms: vec![term], ..Request::default() };
        let strength = Strength::of_hypothesis(0);
        assert_eq!(logits_after(&request, &[], "")[' ' as usize], strength.begin);
        assert_eq!(logits_after(&request, &[], " Lib")['y' as usize], strength.carry_on);
        assert!(
            logits_after(&request, &[], " Libya")[' ' as usize].abs() < f32::EPSILON,
            "it is there: nothing more to do"
        );
    }

    #[test]
    fn a_run_does_not_come_twice() {
        let logits = logits_after(&Request::default(), &[], "abcdef abcd");
        assert_eq!(logits['e' as usize], FORBIDDEN);
    }
}
