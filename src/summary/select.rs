//! Which sentences of an article carry it: chosen on the source side, spread over the article's themes.
//!
//! In: a document with its translation (of which only the flags count here). Out: [`Choice`]s of one or two segments
//! each, in document order. Centrality is that of LexRank (Erkan and Radev 2004) over stems; the choice is greedy over a
//! monotone submodular gain (Lin and Bilmes 2011): a sentence is worth its own quality plus what it adds to the themes
//! and words that are covered so far. Wording is left to [`super::extractive`].

use std::collections::{BTreeMap, BTreeSet};

use super::theme::Themes;
use super::words::{Language, Vocabulary, words};
use crate::document::{Block, BlockKind, Document, SegmentId};
use crate::translation::{SegmentTranslation, Translation};

/// Evidence for one bullet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The segment that was chosen.
    pub main: SegmentId,
    /// It, and where it is short the one that follows it, in document order.
    pub evidence: Vec<SegmentId>,
}

/// What is known of one segment that could be evidence.
#[derive(Debug, Clone)]
struct Candidate {
    id: SegmentId,
    /// Stems of its content words with how often each stands there.
    stems: BTreeMap<String, f64>,
    /// Its themes with their scores, contrasted with the article: what it speaks of more than others do.
    themes: BTreeMap<usize, f64>,
    /// How good it is as a point of a summary, alone.
    quality: f64,
    /// Whether it starts in the middle of a sentence.
    continues: bool,
    /// Whether it could open a bullet at all.
    usable: bool,
    /// Content words.
    content: usize,
    /// The segment after it in the same block that may be joined to it.
    next: Option<usize>,
}

/// The segments that could be evidence, weighed.
#[derive(Debug, Clone)]
pub struct Candidates {
    candidates: Vec<Candidate>,
    /// Weight of each theme in the article, summing to 1.
    theme_weights: BTreeMap<usize, f64>,
    /// Weight of each stem in the article, summing to 1.
    stem_weights: BTreeMap<String, f64>,
}

// How much each part of the gain counts. Set by reading what is chosen on news pages; none is fitted to a score.
const WEIGHT_CENTRALITY: f64 = 0.30;
const WEIGHT_TITLE: f64 = 0.25;
const WEIGHT_POSITION: f64 = 0.35;
const WEIGHT_FACTS: f64 = 0.15;
const WEIGHT_DECISION: f64 = 0.15;
const GAIN_THEMES: f64 = 1.2;
const GAIN_STEMS: f64 = 1.5;
const PENALTY_REDUNDANCY: f64 = 1.0;
const PENALTY_ANAPHORA: f64 = 0.45;
const PENALTY_BACKGROUND: f64 = 0.30;
const PENALTY_FRAGMENT: f64 = 0.35;
const PENALTY_FLAGGED: f64 = 0.40;
const PENALTY_SHORT: f64 = 0.40;
const PENALTY_LONG: f64 = 0.15;
const PENALTY_QUOTE: f64 = 0.35;

/// Fewest content words of a sentence that can stand as a point.
const FEWEST_CONTENT_WORDS: usize = 5;
/// Above this a sentence is cut when it is phrased, so that its end is lost.
const LONG_CONTENT_WORDS: usize = 38;
/// Below this the next sentence of the paragraph joins it.
const SHORT_CONTENT_WORDS: usize = 11;

impl Candidates {
    /// Weighs the segments of a document: those of its paragraphs, and where it has none those of its standfirst.
    pub fn of(document: &Document, translation: &Translation) -> Self {
        let mut blocks: Vec<&Block> = blocks_of(document, BlockKind::Paragraph);
        if blocks.is_empty() {
            blocks = blocks_of(document, BlockKind::Standfirst);
        }
        let vocabulary = Vocabulary::of(translation.segments.iter().map(|segment| segment.source.as_str()));
        let heading: BTreeSet<String> = document
            .blocks
            .iter()
            .filter(|block| matches!(block.kind, BlockKind::Title | BlockKind::Standfirst))
            .flat_map(|block| vocabulary.content(document.block_text(block)))
            .collect();

        let mut candidates: Vec<Candidate> = Vec::new();
        for (number, block) in blocks.iter().enumerate() {
            let first = candidates.len();
            let segments: Vec<&SegmentTranslation> = translation.segments_of(block.id).collect();
            for (place, segment) in segments.iter().enumerate() {
                let before = place.checked_sub(1).map(|p| segments[p].source.as_str());
                candidates.push(weigh(segment, before, number, place, &vocabulary, &heading));
            }
            for at in first..candidates.len().saturating_sub(1) {
                candidates[at].next = Some(at + 1);
            }
        }
        let theme_weights = contrast(&mut candidates, document);
        let centrality = centrality(&candidates);
        for (candidate, centrality) in candidates.iter_mut().zip(&centrality) {
            candidate.quality += WEIGHT_CENTRALITY * centrality;
        }
        let stem_weights = stem_weights(&candidates, &heading);
        Self { candidates, theme_weights, stem_weights }
    }

    /// Chooses up to `bullets` pieces of evidence, none with a segment in `excluded` at its head, in document order.
    pub fn choose(&self, bullets: usize, excluded: &BTreeSet<SegmentId>) -> Vec<Choice> {
        let mut chosen: Vec<usize> = Vec::new();
        while chosen.len() < bullets {
            let open = (0..self.candidates.len()).filter(|at| {
                let candidate = &self.candidates[*at];
                candidate.usable
                    && !chosen.contains(at)
                    && !excluded.contains(&candidate.id)
                    && !chosen.iter().any(|&c| similarity(&candidate.stems, &self.candidates[c].stems) > 0.6)
            });
            // The first of equals wins, so that the choice is the same in every run.
            let best = open.map(|at| (at, self.gain(at, &chosen))).reduce(|a, b| if b.1 > a.1 { b } else { a });
            match best {
                Some((at, _)) => chosen.push(at),
                None => break,
            }
        }
        chosen.sort_unstable();
        let taken: BTreeSet<usize> = chosen.iter().copied().collect();
        chosen.iter().map(|&at| self.with_company(at, &taken)).collect()
    }

    /// Returns the themes of segments together, each with its contrasted score.
    pub fn themes_of(&self, evidence: &[SegmentId]) -> BTreeMap<usize, f64> {
        let mut themes = BTreeMap::new();
        for candidate in self.candidates.iter().filter(|candidate| evidence.contains(&candidate.id)) {
            for (&theme, score) in &candidate.themes {
                *themes.entry(theme).or_insert(0.0) += score;
            }
        }
        themes
    }

    fn gain(&self, at: usize, chosen: &[usize]) -> f64 {
        let candidate = &self.candidates[at];
        let mut themes = 0.0;
        let strongest = candidate.themes.values().copied().fold(f64::MIN_POSITIVE, f64::max);
        for (theme, score) in &candidate.themes {
            let covered: f64 = chosen.iter().map(|&c| self.share(c, *theme)).sum();
            let weight = self.theme_weights.get(theme).copied().unwrap_or(0.0);
            themes += weight * ((covered + score / strongest).sqrt() - covered.sqrt());
        }
        let covered: BTreeSet<&String> = chosen.iter().flat_map(|&c| self.candidates[c].stems.keys()).collect();
        let new: f64 = candidate
            .stems
            .keys()
            .filter(|stem| !covered.contains(stem))
            .map(|stem| self.stem_weights.get(stem).copied().unwrap_or(0.0))
            .sum();
        // A long sentence covers more just by its length; the root keeps it from winning by that alone.
        let stems = new / (candidate.content.max(FEWEST_CONTENT_WORDS) as f64 / 20.0).sqrt().max(0.7);
        let redundancy =
            chosen.iter().map(|&c| similarity(&candidate.stems, &self.candidates[c].stems)).fold(0.0, f64::max);
        candidate.quality + GAIN_THEMES * themes + GAIN_STEMS * stems - PENALTY_REDUNDANCY * redundancy
    }

    /// Returns how much of a candidate's talk is about a theme, 0 to 1.
    fn share(&self, at: usize, theme: usize) -> f64 {
        let themes = &self.candidates[at].themes;
        let strongest = themes.values().copied().fold(f64::MIN_POSITIVE, f64::max);
        themes.get(&theme).copied().unwrap_or(0.0) / strongest
    }

    /// Joins the rest of its sentence to a segment that is part of one, and the next sentence to a short one.
    fn with_company(&self, at: usize, taken: &BTreeSet<usize>) -> Choice {
        let candidate = &self.candidates[at];
        let mut evidence = vec![candidate.id];
        if let Some(next) = candidate.next.filter(|next| !taken.contains(next)) {
            let other = &self.candidates[next];
            let related = similarity(&candidate.stems, &other.stems) > 0.08;
            if candidate.content < SHORT_CONTENT_WORDS && (other.continues || related) {
                evidence.push(other.id);
            }
        }
        Choice { main: candidate.id, evidence }
    }
}

fn blocks_of(document: &Document, kind: BlockKind) -> Vec<&Block> {
    document.blocks.iter().filter(|block| block.kind == kind).collect()
}

/// Weighs one segment by itself.
fn weigh(
    segment: &SegmentTranslation,
    before: Option<&str>,
    block: usize,
    place: usize,
    vocabulary: &Vocabulary,
    heading: &BTreeSet<String>,
) -> Candidate {
    let content = vocabulary.content(&segment.source);
    let mut stems: BTreeMap<String, f64> = BTreeMap::new();
    for stem in &content {
        *stems.entry(stem.clone()).or_insert(0.0) += 1.0;
    }
    let shared = stems.keys().filter(|stem| heading.contains(*stem)).count();
    let title = if heading.is_empty() { 0.0 } else { shared as f64 / heading.len().min(8) as f64 };
    let position = 1.0 / (1.0 + block as f64 * 0.5 + place as f64 * 0.35);
    let figures = content.iter().filter(|stem| stem.starts_with(|c: char| c.is_ascii_digit())).count();
    let continues = before.is_some_and(|before| !ends_sentence(before));

    let mut quality = WEIGHT_TITLE * title.min(1.0) + WEIGHT_POSITION * position;
    quality += WEIGHT_FACTS * (figures.min(2) as f64 / 2.0);
    quality += if decides(&segment.source) { WEIGHT_DECISION } else { 0.0 };
    let opening = opening(&segment.source);
    quality -= match opening {
        Opening::Plain => 0.0,
        Opening::Anaphoric => PENALTY_ANAPHORA,
        Opening::Background => PENALTY_BACKGROUND,
        Opening::Quote => PENALTY_QUOTE,
    };
    quality -= if continues { PENALTY_FRAGMENT } else { 0.0 };
    quality -= if segment.is_flagged() { PENALTY_FLAGGED } else { 0.0 };
    quality -= if content.len() < 8 { PENALTY_SHORT } else { 0.0 };
    quality -= if content.len() > LONG_CONTENT_WORDS { PENALTY_LONG } else { 0.0 };
    let question = segment.source.trim_end().ends_with(['؟', '?']);
    Candidate {
        id: segment.segment,
        themes: Themes::builtin().scores(&segment.source),
        quality,
        continues,
        usable: content.len() >= FEWEST_CONTENT_WORDS && !segment.target.trim().is_empty() && !question,
        content: content.len(),
        stems,
        next: None,
    }
}

/// Returns whether a text ends where a sentence does, quotation marks and brackets after the mark allowed.
fn ends_sentence(text: &str) -> bool {
    let text = text.trim_end().trim_end_matches(['"', '”', '»', '\'', '’', ')', ']']);
    text.ends_with(['.', '!', '?', '؟', '…', ':'])
}

/// How a sentence opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// With its own subject.
    Plain,
    /// With a pronoun, a demonstrative or a verb of speech whose speaker stands in an earlier sentence.
    Anaphoric,
    /// With the words by which news fills in what came before.
    Background,
    /// With a quotation, so that the speaker is elsewhere or comes late.
    Quote,
}

// Openings, as `words` normalises them. A verb of speech is anaphoric where no subject follows it at once.
const SPEECH: &[&str] = &[
    "قال",
    "قالت",
    "اضاف",
    "اضافت",
    "اوضح",
    "اوضحت",
    "اكد",
    "اكدت",
    "تابع",
    "تابعت",
    "اشار",
    "اشارت",
    "افاد",
    "افادت",
    "شدد",
    "شددت",
    "لفت",
    "لفتت",
    "ذكر",
    "ذكرت",
    "استطرد",
    "اردف",
    "زاد",
    "ختم",
    "صرح",
    "اعتبر",
    "اعتبرت",
    "راي",
];
const ANAPHORIC: &[&str] = &[
    "هو",
    "هي",
    "هم",
    "هذا",
    "هذه",
    "ذلك",
    "تلك",
    "كما",
    "كذلك",
    "ايضا",
    "لكن",
    "لكنه",
    "لكنها",
    "غير",
    "الا",
    "مضيفا",
    "مشيرا",
    "موضحا",
    "موكدا",
    "معتبرا",
    "قائلا",
    "لذلك",
    "لذا",
    "ومن",
    "حيث",
    "بل",
    "اذ",
    "هكذا",
    "اما",
];
const BACKGROUND: &[&str] = &["يذكر", "يشار", "جدير", "الجدير", "كان", "كانت", "سبق", "للاشاره", "للتذكير"];
const AFTER_SPEECH: &[&str] = &["ان", "انه", "انها", "بان", "بانه", "بانها", "الي", "علي", "في", "يوم", "ب"];
const ENGLISH_ANAPHORIC: &[&str] = &[
    "he",
    "she",
    "it",
    "they",
    "this",
    "that",
    "these",
    "those",
    "also",
    "but",
    "and",
    "his",
    "her",
    "their",
    "its",
    "however",
    "moreover",
    "furthermore",
    "so",
    "then",
    "such",
    "meanwhile",
    "additionally",
];

fn opening(source: &str) -> Opening {
    let trimmed = source.trim_start();
    if trimmed.starts_with(['"', '“', '«', '\'', '‘']) {
        return Opening::Quote;
    }
    let words = words(trimmed);
    let Some(first) = words.first() else { return Opening::Anaphoric };
    if Language::of(trimmed) == Language::English {
        return if ENGLISH_ANAPHORIC.contains(&first.as_str()) { Opening::Anaphoric } else { Opening::Plain };
    }
    let bare = first.strip_prefix(['و', 'ف']).unwrap_or(first);
    let is = |list: &[&str]| list.contains(&first.as_str()) || list.contains(&bare);
    if is(SPEECH) {
        let second = words.get(1).map(String::as_str).unwrap_or_default();
        let quoted = trimmed.split_whitespace().nth(1).is_some_and(|w| w.starts_with(['"', '“', '«', '‘', ':']));
        return if quoted || AFTER_SPEECH.contains(&second) || second.is_empty() {
            Opening::Anaphoric
        } else {
            Opening::Plain
        };
    }
    if is(ANAPHORIC) {
        return Opening::Anaphoric;
    }
    if is(BACKGROUND) { Opening::Background } else { Opening::Plain }
}

// Verbs (and their nouns) by which somebody decides or does something, rather than comments on it; normalised.
const DECISIONS: &[&str] = &[
    "اتفق",
    "اتفقت",
    "اتفقا",
    "اتفقوا",
    "قرر",
    "قررت",
    "وقع",
    "وقعت",
    "صوت",
    "صوتت",
    "وافق",
    "وافقت",
    "رفض",
    "رفضت",
    "طالب",
    "طالبت",
    "دعا",
    "دعت",
    "طلب",
    "طلبت",
    "اعلن",
    "اعلنت",
    "اطلق",
    "اطلقت",
    "عين",
    "عينت",
    "ادان",
    "ادانت",
    "يهدف",
    "تهدف",
    "تسعي",
    "يسعي",
    "تتطلع",
    "يعتزم",
    "تعتزم",
    "agreed",
    "decided",
    "signed",
    "voted",
    "approved",
    "rejected",
    "refused",
    "called",
    "demanded",
    "announced",
    "launched",
    "appointed",
    "condemned",
    "plans",
    "banned",
];

fn decides(source: &str) -> bool {
    words(source).iter().any(|word| {
        DECISIONS.contains(&word.as_str()) || word.strip_prefix(['و', 'ف']).is_some_and(|w| DECISIONS.contains(&w))
    })
}

/// Weighs each candidate's themes by how few others share them, and returns the article's own weights of its themes,
/// those of the headline counting more.
fn contrast(candidates: &mut [Candidate], document: &Document) -> BTreeMap<usize, f64> {
    let mut weights: BTreeMap<usize, f64> = BTreeMap::new();
    let mut spread: BTreeMap<usize, f64> = BTreeMap::new();
    for candidate in candidates.iter() {
        let strongest = candidate.themes.values().copied().fold(f64::MIN_POSITIVE, f64::max);
        for (&theme, score) in &candidate.themes {
            *weights.entry(theme).or_insert(0.0) += score / strongest;
            *spread.entry(theme).or_insert(0.0) += 1.0;
        }
    }
    if let Some(title) = document.title() {
        for (theme, score) in Themes::builtin().scores(title) {
            *weights.entry(theme).or_insert(0.0) += score.min(3.0);
        }
    }
    // A theme that one sentence touches is no theme of the article; the square holds such ones down.
    let total: f64 = weights.values().map(|w| w * w.sqrt()).sum();
    let total = if total > 0.0 { total } else { 1.0 };
    let weights: BTreeMap<usize, f64> = weights.into_iter().map(|(t, w)| (t, w * w.sqrt() / total)).collect();
    let all = candidates.len() as f64;
    for candidate in candidates.iter_mut() {
        for (theme, score) in &mut candidate.themes {
            let spread = spread.get(theme).copied().unwrap_or(1.0);
            *score *= 0.5 + (1.0 + all / spread).ln() / 3.0;
        }
    }
    weights
}

fn stem_weights(candidates: &[Candidate], heading: &BTreeSet<String>) -> BTreeMap<String, f64> {
    let mut weights: BTreeMap<String, f64> = BTreeMap::new();
    for candidate in candidates {
        for stem in candidate.stems.keys() {
            *weights.entry(stem.clone()).or_insert(0.0) += 1.0;
        }
    }
    for (stem, weight) in &mut weights {
        // Words of one sentence only carry no more than that sentence.
        *weight = if *weight < 2.0 { 0.0 } else { weight.sqrt() };
        if heading.contains(stem) {
            *weight *= 1.5;
        }
    }
    let total: f64 = weights.values().sum();
    if total > 0.0 {
        weights.values_mut().for_each(|weight| *weight /= total);
    }
    weights
}

/// Cosine of two bags of stems.
fn similarity(one: &BTreeMap<String, f64>, other: &BTreeMap<String, f64>) -> f64 {
    let dot: f64 = one.iter().filter_map(|(stem, weight)| other.get(stem).map(|w| w * weight)).sum();
    let norm = |bag: &BTreeMap<String, f64>| bag.values().map(|w| w * w).sum::<f64>().sqrt();
    let norms = norm(one) * norm(other);
    if norms > 0.0 { dot / norms } else { 0.0 }
}

/// LexRank: the stationary weights of a walk between similar sentences, scaled so that the highest is 1.
fn centrality(candidates: &[Candidate]) -> Vec<f64> {
    const DAMPING: f64 = 0.85;
    const ROUNDS: usize = 30;
    /// More sentences than this are ranked against the first ones only: the work grows with the square.
    const MOST: usize = 600;
    let n = candidates.len().min(MOST);
    if n == 0 {
        return vec![0.0; candidates.len()];
    }
    let rows: Vec<Vec<f64>> = (0..n)
        .map(|i| {
            let row: Vec<f64> = (0..n)
                .map(|j| if i == j { 0.0 } else { similarity(&candidates[i].stems, &candidates[j].stems) })
                .collect();
            let sum: f64 = row.iter().sum();
            row.into_iter().map(|s| if sum > 0.0 { s / sum } else { 1.0 / n as f64 }).collect()
        })
        .collect();
    let mut rank = vec![1.0 / n as f64; n];
    for _ in 0..ROUNDS {
        let mut next = vec![(1.0 - DAMPING) / n as f64; n];
        for (i, row) in rows.iter().enumerate() {
            for (j, share) in row.iter().enumerate() {
                next[j] += DAMPING * rank[i] * share;
            }
        }
        rank = next;
    }
    let highest = rank.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let mut scaled: Vec<f64> = rank.into_iter().map(|r| r / highest).collect();
    scaled.resize(candidates.len(), 0.0);
    scaled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openings_are_told_apart() {
        for (text, expected) in [
            ("اتفقت الجزائر وليبيا على خطة", Opening::Plain),
            ("وأضاف أن الأمن اليوم مسؤولية مشتركة", Opening::Anaphoric),
            ("وقال “نحن نحاول”", Opening::Anaphoric),
            ("وقال وزير الداخلية إن بلاده مستعدة", Opening::Plain),
            ("كما تلمح الأولوية", Opening::Anaphoric),
            ("يذكر أن البرلمان صوت", Opening::Background),
            ("“حفاظا على السلم” هكذا قال", Opening::Quote),
            ("He said so", Opening::Anaphoric),
            ("Libya asked for help", Opening::Plain),
            ("", Opening::Anaphoric),
        ] {
            assert_eq!(opening(text), expected, "{text}");
        }
    }

    #[test]
    fn a_sentence_ends_at_its_mark_even_within_quotes() {
        assert!(ends_sentence("قال “نعم.”"));
        assert!(ends_sentence("انتهى."));
        assert!(!ends_sentence("بعد ذلك،"));
    }

    #[test]
    fn similarity_is_one_for_the_same_and_zero_for_nothing_shared() {
        let bag = |words: &[&str]| words.iter().map(|w| ((*w).to_owned(), 1.0)).collect::<BTreeMap<_, _>>();
        assert!((similarity(&bag(&["a", "b"]), &bag(&["a", "b"])) - 1.0).abs() < 1e-9);
        assert!(similarity(&bag(&["a"]), &bag(&["b"])).abs() < 1e-9);
        assert!(similarity(&bag(&[]), &bag(&[])).abs() < 1e-9);
    }
}
