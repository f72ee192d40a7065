//! Which articles of a run are the same story: one agency's copy in several papers.
//!
//! In: the words of each article's body. Out: for each article the earlier one that it is the same as, or largely the same.
//! Texts are compared by their runs of three words (shingles; Broder 1997, "On the resemblance and containment of documents").
//! The runs with the smallest hashes find the candidates, so that the time is linear in the number of articles; what is
//! then said of a pair is counted over all their runs. Nothing is dropped for it: the reader is told.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::document::{BlockKind, Document};
use crate::summary::words::words;

/// Words of a run.
const RUN: usize = 3;
/// Runs of an article that are kept: a long article has two thousand.
const MOST_RUNS: usize = 20_000;
/// Runs by which candidates are found: of two texts that share half of their runs, one in a million pairs has none in common.
const KEYS: usize = 48;
/// Articles that are remembered for one run: a run that more share is a phrase of the trade, or one of them is enough.
const MOST_PER_KEY: usize = 16;
/// Runs below which texts are too short to be told apart by a share of them.
const MIN_RUNS: usize = 20;
/// The share of the shorter text's runs from which two texts are largely the same. Measured (see the tests and
/// `tests/it/intake.rs`): different articles share under a tenth, copies with paragraphs dropped, added and reworded over
/// six tenths.
pub const LARGELY: f64 = 0.5;

/// What an article is compared by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprint {
    /// The hash of all words in order; none where there is no word.
    whole: Option<u64>,
    /// The hashes of its runs, sorted, each once.
    runs: Vec<u64>,
}

/// How alike two articles are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// Every word of the body is the same.
    Same,
    /// So many of a hundred of the shorter text's runs of three words stand in the other.
    Largely(u8),
}

impl std::fmt::Display for Likeness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Same => f.write_str("the same text as"),
            Self::Largely(_) => f.write_str("largely the same as"),
        }
    }
}

/// An earlier article that one is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The place of the earlier article.
    pub to: usize,
    /// How alike they are.
    pub likeness: Likeness,
}

impl Fingerprint {
    /// Takes the fingerprint of a text in pieces.
    pub fn of<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let words: Vec<String> = texts.flat_map(words).collect();
        if words.is_empty() {
            return Self::default();
        }
        let mut runs: Vec<u64> = words.windows(RUN).map(hashed).collect();
        runs.sort_unstable();
        runs.dedup();
        // The smallest are as good a sample as any, and the same in both texts.
        runs.truncate(MOST_RUNS);
        Self { whole: Some(hashed(&words)), runs }
    }

    /// Takes the fingerprint of a document's body; of all of it where it has none.
    pub fn of_document(document: &Document) -> Self {
        let blocks = document.blocks.iter().map(|block| (block.kind, document.block_text(block)));
        Self::of_blocks(blocks.collect())
    }

    /// Takes the fingerprint of blocks with their kinds.
    pub(super) fn of_blocks(blocks: Vec<(BlockKind, &str)>) -> Self {
        let body = |kind: BlockKind| kind.is_body() || kind == BlockKind::TableRow;
        let any = blocks.iter().any(|(kind, _)| body(*kind));
        Self::of(blocks.iter().filter(|(kind, _)| !any || body(*kind)).map(|(_, text)| *text))
    }

    /// Returns which share of the shorter text's runs stand in the other.
    pub fn share(&self, other: &Self) -> f64 {
        let least = self.runs.len().min(other.runs.len());
        let (mut a, mut b, mut shared) = (0, 0, 0usize);
        while let (Some(x), Some(y)) = (self.runs.get(a), other.runs.get(b)) {
            match x.cmp(y) {
                std::cmp::Ordering::Less => a += 1,
                std::cmp::Ordering::Greater => b += 1,
                std::cmp::Ordering::Equal => (a, b, shared) = (a + 1, b + 1, shared + 1),
            }
        }
        if least == 0 { 0.0 } else { shared as f64 / least as f64 }
    }

    fn likeness(&self, other: &Self) -> Option<Likeness> {
        if self.whole.is_some() && self.whole == other.whole {
            return Some(Likeness::Same);
        }
        if self.runs.len().min(other.runs.len()) < MIN_RUNS {
            return None;
        }
        let share = self.share(other);
        // All runs of one in the other is not yet the same text: a hundred would say so.
        (share >= LARGELY).then(|| Likeness::Largely(((share * 100.0).floor() as u8).min(99)))
    }
}

fn hashed(words: &[String]) -> u64 {
    // The hasher of the standard library without a random key: the same in every run of one build.
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    hasher.finish()
}

/// Finds for each article the earlier one that it is most like; the first of several.
pub fn links(articles: &[&Fingerprint]) -> Vec<Option<Link>> {
    let mut by_key: HashMap<u64, Vec<usize>> = HashMap::new();
    let mut by_whole: HashMap<u64, usize> = HashMap::new();
    let mut links = Vec::with_capacity(articles.len());
    for (place, article) in articles.iter().enumerate() {
        let same = article.whole.and_then(|whole| by_whole.get(&whole).copied());
        if let Some(to) = same {
            links.push(Some(Link { to, likeness: Likeness::Same }));
            continue;
        }
        by_whole.extend(article.whole.map(|whole| (whole, place)));
        let keys = &article.runs[..article.runs.len().min(KEYS)];
        let mut candidates: BTreeMap<usize, usize> = BTreeMap::new();
        for key in keys {
            for &other in by_key.get(key).into_iter().flatten() {
                *candidates.entry(other).or_default() += 1;
            }
        }
        let mut best: Option<(u8, usize)> = None;
        for &other in candidates.keys() {
            if let Some(Likeness::Largely(share)) = article.likeness(articles[other])
                && best.is_none_or(|(known, _)| share > known)
            {
                best = Some((share, other));
            }
        }
        links.push(best.map(|(share, to)| Link { to, likeness: Likeness::Largely(share) }));
        for &key in keys {
            let known = by_key.entry(key).or_default();
            if known.len() < MOST_PER_KEY {
                known.push(place);
            }
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words that differ with the seed, as articles on different matters do.
    fn article(seed: u64, sentences: usize) -> Vec<String> {
        const STEMS: [&str; 24] = [
            "أعلنت",
            "وزارة",
            "التجارة",
            "اليوم",
            "فتح",
            "معبر",
            "جديد",
            "على",
            "الحدود",
            "وقال",
            "المتحدث",
            "إن",
            "الأشغال",
            "دامت",
            "شهرين",
            "بكلفة",
            "مليون",
            "دينار",
            "وأضاف",
            "أن",
            "السوق",
            "في",
            "المدينة",
            "الساحلية",
        ];
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % 24).unwrap()
        };
        (0..sentences).map(|_| (0..14).map(|_| STEMS[next()]).collect::<Vec<_>>().join(" ") + ".").collect()
    }

    fn fingerprint(sentences: &[String]) -> Fingerprint {
        Fingerprint::of(sentences.iter().map(String::as_str))
    }

    #[test]
    fn copies_are_found_and_other_articles_are_not() {
        let original = article(1, 20);
        let mut cut = original.clone();
        cut.truncate(14);
        let mut edited = original.clone();
        edited[2] = article(90, 1).remove(0);
        edited[9] = article(91, 1).remove(0);
        edited.extend(article(92, 3));
        let all: Vec<Fingerprint> =
            [&original, &article(2, 20), &cut, &original, &edited].map(|sentences| fingerprint(sentences)).into();
        let found = links(&all.iter().collect::<Vec<_>>());
        assert_eq!((found[0], found[1]), (None, None));
        assert_eq!(found[2], Some(Link { to: 0, likeness: Likeness::Largely(99) }), "a copy that ends early");
        assert_eq!(found[3], Some(Link { to: 0, likeness: Likeness::Same }));
        assert!(matches!(found[4], Some(Link { to: 0, likeness: Likeness::Largely(70..=95) })), "{:?}", found[4]);
    }

    #[test]
    fn short_and_empty_texts_are_not_called_alike_by_a_share() {
        let short = |text: &str| Fingerprint::of([text].into_iter());
        let all = [short("أعلنت الوزارة اليوم"), short("أعلنت الوزارة اليوم فتح"), short(""), short("")];
        assert_eq!(links(&all.iter().collect::<Vec<_>>()), [None, None, None, None]);
    }

    #[test]
    fn spelling_and_vowel_marks_make_no_difference() {
        let a = Fingerprint::of(["قالَ إنّ الأشغال بدأت، أمس."].into_iter());
        let b = Fingerprint::of(["قال ان الاشغال بدأت أمس"].into_iter());
        assert_eq!(links(&[&a, &b])[1], Some(Link { to: 0, likeness: Likeness::Same }));
    }

    #[test]
    fn the_time_is_linear_also_where_all_are_alike() {
        let shared = article(7, 30);
        let all: Vec<Fingerprint> = (0..2000u64)
            .map(|seed| {
                let mut sentences = shared.clone();
                sentences.extend(article(seed + 100, 2));
                fingerprint(&sentences)
            })
            .collect();
        let start = std::time::Instant::now();
        let found = links(&all.iter().collect::<Vec<_>>());
        assert!(found[1..].iter().all(Option::is_some));
        assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    }
}
