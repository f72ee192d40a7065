//! Which sentences of an article carry it: chosen on the source side, spread over the article's themes.
//!
//! In: a document with its translation (of which only the flags count here). Out: [`Choice`]s of one or two segments
//! each, in document order. The choice is greedy over a
//! monotone submodular gain (Lin and Bilmes 2011): a sentence is worth its own quality plus what it adds to the themes
//! and words that are covered so far. Wording is left to [`super::extractive`].

use std::collections::{BTreeMap, BTreeSet};

use super::rank::{centrality, similarity};
use super::sentence::{Opening, comments, decides, ends_sentence, opening, quoted_share};
use super::theme::Themes;
use super::words::Vocabulary;
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
    /// Its themes with their scores.
    themes: BTreeMap<usize, f64>,
    /// How much of it is about each theme: a vector of length 1.
    shares: BTreeMap<usize, f64>,
    /// How much of it is about each family of themes: a vector of length 1, so that a sentence that touches on many
    /// things is not worth more than one that says one thing.
    families: BTreeMap<&'static str, f64>,
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
    /// Weight of each family of themes in the article, summing to 1.
    family_weights: BTreeMap<&'static str, f64>,
    /// How few candidates share a theme: 1 where one in three does, more where fewer do.
    theme_rarity: BTreeMap<usize, f64>,
    /// Weight of each stem in the article, summing to 1.
    stem_weights: BTreeMap<String, f64>,
}

// How much each part of the gain counts. Set by reading what is chosen on news pages; none is fitted to a score.
const WEIGHT_CENTRALITY: f64 = 0.30;
const WEIGHT_TITLE: f64 = 0.25;
const WEIGHT_POSITION: f64 = 0.45;
const WEIGHT_FACTS: f64 = 0.15;
const WEIGHT_DECISION: f64 = 0.15;
const GAIN_THEMES: f64 = 1.6;
const GAIN_FAMILIES: f64 = 0.6;
const GAIN_STEMS: f64 = 1.5;
const PENALTY_REDUNDANCY: f64 = 1.0;
/// Beside a chosen sentence; half of it one sentence further: a story goes on to other things.
const PENALTY_NEAR: f64 = 0.20;
const PENALTY_ANAPHORA: f64 = 0.45;
const PENALTY_BACKGROUND: f64 = 0.15;
/// Said by somebody who comments on events rather than makes them.
const PENALTY_COMMENT: f64 = 0.20;
/// More quoted than told.
const PENALTY_QUOTED: f64 = 0.10;
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
        let mut blocks: Vec<&Block> = document.blocks.iter().filter(|block| block.kind.is_body()).collect();
        if blocks.is_empty() {
            blocks = blocks_of(document, BlockKind::Standfirst);
        }
        let vocabulary = Vocabulary::of(translation.segments.iter().map(|segment| segment.source.as_str()));
        // A standfirst often is a sentence of the body word for word; to count its words would only bring that one back.
        let heading: BTreeSet<String> =
            document.title().map(|title| vocabulary.content(title)).unwrap_or_default().into_iter().collect();

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
        let (theme_weights, theme_rarity) = weigh_themes(&candidates, document);
        let bags: Vec<&BTreeMap<String, f64>> = candidates.iter().map(|candidate| &candidate.stems).collect();
        let family_weights = weigh_families(&candidates, document);
        let centrality = centrality(&bags);
        for (candidate, centrality) in candidates.iter_mut().zip(&centrality) {
            candidate.quality += WEIGHT_CENTRALITY * centrality;
        }
        let stem_weights = stem_weights(&candidates, &heading);
        Self { candidates, theme_weights, family_weights, theme_rarity, stem_weights }
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

    /// Returns whether a segment is the first sentence of the body.
    pub fn is_lede(&self, segment: SegmentId) -> bool {
        self.candidates.first().is_some_and(|first| first.id == segment)
    }

    /// Returns how well each theme names segments together: how strongly they speak of it, rather than the rest of the
    /// article does, and how much of a theme of the article it is at all.
    pub fn themes_of(&self, evidence: &[SegmentId]) -> BTreeMap<usize, f64> {
        let mut themes = BTreeMap::new();
        let heaviest = self.theme_weights.values().copied().fold(f64::MIN_POSITIVE, f64::max);
        for candidate in self.candidates.iter().filter(|candidate| evidence.contains(&candidate.id)) {
            for (theme, score) in &candidate.themes {
                let weight = self.theme_weights.get(theme).copied().unwrap_or(0.0) / heaviest;
                let rarity = self.theme_rarity.get(theme).copied().unwrap_or(1.0);
                *themes.entry(*theme).or_insert(0.0) += score * (0.5 + 0.5 * rarity) * (0.4 + 0.6 * weight.sqrt());
            }
        }
        themes
    }

    fn gain(&self, at: usize, chosen: &[usize]) -> f64 {
        let candidate = &self.candidates[at];
        let mut themes = 0.0;
        let covers = |covered: f64, share: f64| (covered + share).sqrt() - covered.sqrt();
        for (theme, share) in &candidate.shares {
            let covered: f64 = chosen.iter().filter_map(|&c| self.candidates[c].shares.get(theme)).sum();
            themes += GAIN_THEMES * self.theme_weights.get(theme).copied().unwrap_or(0.0) * covers(covered, *share);
        }
        for (family, share) in &candidate.families {
            let covered: f64 = chosen.iter().filter_map(|&c| self.candidates[c].families.get(family)).sum();
            let weight = self.family_weights.get(family).copied().unwrap_or(0.0);
            themes += GAIN_FAMILIES * weight * covers(covered, *share);
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
        let near = chosen.iter().map(|&c| 1.0 / at.abs_diff(c) as f64).fold(0.0, f64::max);
        candidate.quality - PENALTY_NEAR * near + themes + GAIN_STEMS * stems - PENALTY_REDUNDANCY * redundancy
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
    // The first sentence of a news story is its point; after it, place says little.
    let position = if (block, place) == (0, 0) { 1.0 } else { 0.4 / (1.0 + block as f64 * 0.15 + place as f64 * 0.15) };
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
    quality -= if comments(&segment.source) { PENALTY_COMMENT } else { 0.0 };
    quality -= if quoted_share(&segment.source) > 0.5 { PENALTY_QUOTED } else { 0.0 };
    quality -= if continues { PENALTY_FRAGMENT } else { 0.0 };
    quality -= if segment.is_flagged() { PENALTY_FLAGGED } else { 0.0 };
    quality -= if content.len() < 8 { PENALTY_SHORT } else { 0.0 };
    quality -= if content.len() > LONG_CONTENT_WORDS { PENALTY_LONG } else { 0.0 };
    let themes = Themes::builtin().scores(&segment.source);
    let question = segment.source.trim_end().ends_with(['؟', '?']);
    Candidate {
        id: segment.segment,
        shares: unit(&themes),
        families: families(&themes),
        themes,
        quality,
        continues,
        usable: content.len() >= FEWEST_CONTENT_WORDS && !segment.target.trim().is_empty() && !question,
        content: content.len(),
        stems,
        next: None,
    }
}

/// Returns the article's own weights of its themes, those of the headline counting more, and how rare each theme is.
fn weigh_themes(candidates: &[Candidate], document: &Document) -> (BTreeMap<usize, f64>, BTreeMap<usize, f64>) {
    let mut weights: BTreeMap<usize, f64> = BTreeMap::new();
    let mut spread: BTreeMap<usize, f64> = BTreeMap::new();
    for candidate in candidates {
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
    // A theme that one sentence touches is no theme of the article; the power holds such ones down.
    weights.values_mut().for_each(|weight| *weight = weight.powf(1.5));
    let total: f64 = weights.values().sum();
    if total > 0.0 {
        weights.values_mut().for_each(|weight| *weight /= total);
    }
    let all = candidates.len() as f64;
    let rarity = spread.into_iter().map(|(theme, spread)| (theme, (1.0 + all / spread).ln() / 4f64.ln())).collect();
    (weights, rarity)
}

/// Sums themes up by family, as a vector of length 1.
fn families(themes: &BTreeMap<usize, f64>) -> BTreeMap<&'static str, f64> {
    let mut families: BTreeMap<&'static str, f64> = BTreeMap::new();
    for (&theme, score) in themes {
        *families.entry(Themes::builtin().themes[theme].family.as_str()).or_insert(0.0) += score;
    }
    unit(&families)
}

/// Scales a vector to length 1.
fn unit<K: Ord + Copy>(vector: &BTreeMap<K, f64>) -> BTreeMap<K, f64> {
    let length = vector.values().map(|score| score * score).sum::<f64>().sqrt();
    vector.iter().map(|(&key, score)| (key, score / length.max(f64::MIN_POSITIVE))).collect()
}

/// Returns the article's own weights of the families of themes, that of the headline counting as two sentences.
fn weigh_families(candidates: &[Candidate], document: &Document) -> BTreeMap<&'static str, f64> {
    let title = document.title().map(|title| families(&Themes::builtin().scores(title))).unwrap_or_default();
    let mut weights: BTreeMap<&'static str, f64> = BTreeMap::new();
    for families in candidates.iter().map(|candidate| &candidate.families).chain([&title, &title]) {
        for (family, share) in families {
            *weights.entry(family).or_insert(0.0) += share;
        }
    }
    let total: f64 = weights.values().sum();
    weights.values_mut().for_each(|weight| *weight /= total.max(f64::MIN_POSITIVE));
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
